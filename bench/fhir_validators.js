// Two readers of FHIR R4 that know nothing of ours; each finds errors that the other lets pass.
// Reads resources from standard input, one a line, and prints what they object to as JSON.
const JSONSchemaValidator = require("@asymmetrik/fhir-json-schema-validator");
const { Fhir } = require("fhir");

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
}
console.log(JSON.stringify({ count: lines.length, objections }));
