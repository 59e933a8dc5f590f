// Discord's own OpenAPI description as a second opinion on what we send, where it lies beside the repository.
import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const path = '../shared/specs/discord-openapi.json';

/** Why there is no second opinion; undefined where there is one. */
export const missingSpec: string | undefined = existsSync(path) ? undefined : `${path} is not here`;

/** @returns what the description finds wrong with a request's body; [] for a route it does not know. */
export type CheckBody = (method: string, route: string, body: unknown) => readonly string[];

let checking: CheckBody | undefined;

export function loadSpec(): CheckBody {
  checking ??= missingSpec === undefined ? compile() : () => [];
  return checking;
}

function compile(): CheckBody {
  const document = JSON.parse(readFileSync(path, 'utf8'));
  const ajv = new Ajv2020({ strict: false, validateFormats: true, allErrors: false });
  formats.default(ajv);
  for (const format of ['int32', 'int64', 'snowflake', 'nonce', 'double']) ajv.addFormat(format, true);
  ajv.addSchema(document, 'discord');
  const pointer = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
  const routes: readonly { method: string; pattern: RegExp; reference: string }[] = Object.entries(
    document.paths as Record<string, Record<string, { requestBody?: { content?: Record<string, unknown> } }>>,
  ).flatMap(([template, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) =>
      operation?.requestBody?.content?.['application/json'] === undefined
        ? []
        : [
            {
              method,
              pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
              reference: `discord#/paths/${pointer(template)}/${method}/requestBody/content/${pointer('application/json')}/schema`,
            },
          ],
    ),
  );
  return (method, route, body) => {
    const found = routes.find((one) => one.method === method.toLowerCase() && one.pattern.test(route));
    if (found === undefined) return [];
    const validate = ajv.compile({ $ref: found.reference });
    if (validate(body)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
  };
}
