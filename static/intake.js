// The form works without this file; with it, questions appear as soon as an answer brings them up.
(() => {
  const form = document.querySelector("form[data-intake]");
  if (!form) return;
  const questions = [...form.querySelectorAll("[data-question]")];
  const byName = new Map(questions.map((question) => [question.dataset.question, question]));

  const values = (name) => {
    const question = byName.get(name);
    if (!question || question.hidden) return [];
    return [...question.querySelectorAll("input, textarea")]
      .filter((input) => !["radio", "checkbox"].includes(input.type) || input.checked)
      .map((input) => input.value.trim())
      .filter((value) => value !== "");
  };

  const compare = {
    "=": (a, b) => a === b,
    "!=": (a, b) => a !== b,
    ">": (a, b) => a > b,
    "<": (a, b) => a < b,
    ">=": (a, b) => a >= b,
    "<=": (a, b) => a <= b,
  };

  const holds = (condition) => {
    if (typeof condition === "boolean") return condition;
    const given = values(condition.question);
    if (condition.operator === "exists") return given.length > 0 === condition.value;
    return given.some((text) =>
      typeof condition.value === "number"
        ? compare[condition.operator](Number(text.replace(",", ".")), condition.value)
        : compare[condition.operator](text, String(condition.value)),
    );
  };

  const show = () => {
    for (const question of questions) {
      if (!question.dataset.dependsOn) continue;
      question.hidden = !JSON.parse(question.dataset.dependsOn).every((clause) =>
        clause.all ? clause.of.every(holds) : clause.of.some(holds),
      );
    }
    for (const question of questions) {
      if (!question.dataset.pickedFrom) continue;
      const source = byName.get(question.dataset.pickedFrom);
      if (!source) continue;
      const offered = new Set(
        [...source.querySelectorAll("input")].map((input) => input.value),
      );
      const picked = new Set(values(question.dataset.pickedFrom));
      for (const input of question.querySelectorAll("input")) {
        const alone = question.dataset.alone?.split(" ").includes(input.value);
        const choice = input.closest(".choice");
        choice.hidden = !alone && picked.size > 0 && offered.has(input.value) && !picked.has(input.value);
        if (choice.hidden) input.checked = false;
      }
    }
    for (const unit of form.querySelectorAll("[data-unit-from]")) {
      const [chosen] = values(unit.dataset.unitFrom);
      const units = JSON.parse(unit.dataset.units);
      if (chosen in units) unit.textContent = units[chosen];
    }
  };

  const leaveAlone = (input) => {
    const question = input.closest("[data-alone]");
    if (!question || input.type !== "checkbox" || !input.checked) return;
    const alone = question.dataset.alone.split(" ");
    const isAlone = alone.includes(input.value);
    for (const other of question.querySelectorAll("input:checked")) {
      if (other !== input && (isAlone || alone.includes(other.value))) other.checked = false;
    }
  };

  form.addEventListener("change", (event) => {
    leaveAlone(event.target);
    show();
  });
  show();

  // Leaving by any other way than the form's own buttons saves the page too.
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("change", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("pagehide", () => {
    if (!changed || form.hasAttribute("data-conflict")) return;
    const page = new FormData(form);
    page.append("autosave", "");
    fetch(form.action, { method: "POST", body: page, keepalive: true });
    changed = false;
  });
})();
