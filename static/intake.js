// The form works without this file; with it, questions appear as soon as an answer enables them.
(() => {
  const form = document.querySelector("form[data-intake]");
  if (!form) return;
  const questions = [...form.querySelectorAll("[data-question]")];
  const byName = new Map(questions.map((question) => [question.dataset.question, question]));

  const inputs = (name) => {
    const question = byName.get(name);
    if (!question || question.hidden) return [];
    return [...question.querySelectorAll("input, textarea, select")]
      .filter((input) => !("unit" in input.dataset) && !("count" in input.dataset))
      .filter((input) => !["radio", "checkbox"].includes(input.type) || input.checked);
  };

  const typed = (input) =>
    (input.dataset.other && input.type === "textarea" ? input.value.split("\n") : [input.value])
      .map((value) => value.trim())
      .filter((value) => value !== "" && value !== ":other");

  const values = (name) => inputs(name).flatMap(typed);

  const compare = {
    "=": (a, b) => a === b,
    "!=": (a, b) => a !== b,
    ">": (a, b) => a > b,
    "<": (a, b) => a < b,
    ">=": (a, b) => a >= b,
    "<=": (a, b) => a <= b,
  };

  // An option's code and the same word typed as "other" are different answers.
  const isOfKind = (input, condition) =>
    condition.is_code === undefined || condition.is_code === !("other" in input.dataset);

  const isInUnit = (input, condition) => {
    const unit = form.elements[`${input.name}:unit`];
    return !condition.unit || !unit || unit.value === condition.unit;
  };

  const holds = (condition) => {
    if (typeof condition === "boolean") return condition;
    const given = condition.questions.flatMap(inputs).filter((input) => typed(input).length);
    if (condition.operator === "exists") return given.length > 0 === condition.value;
    const fits = compare[condition.operator];
    return given
      .filter((input) => isOfKind(input, condition) && isInUnit(input, condition))
      .flatMap(typed)
      .some((text) => {
        if (typeof condition.value !== "number") return fits(text, String(condition.value));
        const number = Number(text.replace(",", "."));
        return !Number.isNaN(number) && fits(number, condition.value);
      });
  };

  const show = () => {
    // A question may depend on a later one, so one round is not always enough.
    let isSettled = false;
    for (let round = 0; !isSettled && round <= questions.length; round += 1) {
      isSettled = true;
      for (const question of questions) {
        if (!question.dataset.dependsOn) continue;
        const isHidden = !JSON.parse(question.dataset.dependsOn).every((clause) =>
          clause.all ? clause.of.every(holds) : clause.of.some(holds),
        );
        if (question.hidden !== isHidden) isSettled = false;
        question.hidden = isHidden;
      }
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

  // Leaving the page without the form's own buttons saves it too.
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
