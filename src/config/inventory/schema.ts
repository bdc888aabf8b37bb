import { patchNames } from './variable-names.ts';

const text = { type: 'string' };
const texts = { anyOf: [text, { type: 'array', items: text }] };

const patchSchemas: Readonly<Record<string, object>> = {
  patch_enabled: {
    type: 'boolean',
    description: 'False excludes the host from patching, permanently or until patch_disabled_until.',
  },
  patch_disabled_until: { type: 'string', description: 'A day or a time (RFC 3339); UTC without a zone.' },
  patch_hold: { ...texts, description: 'Globs of packages that are never updated.' },
  patch_reboot: { enum: ['never', 'if-needed', 'always'] },
  patch_max_reboots: { type: 'integer', minimum: 0, maximum: 10 },
  patch_mac: { ...texts, description: 'Hardware addresses for Wake-on-LAN.' },
  patch_cluster: { ...texts, description: 'Hosts of one cluster are never patched at the same time.' },
};

/** JSON Schema (2020-12) of an inventory for editors. `ansible_*` and variables of your own are free. */
export function inventoryJsonSchema(): Readonly<Record<string, unknown>> {
  const patch = Object.fromEntries([...patchNames].map((name) => [name, patchSchemas[name] ?? text]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'fettle inventory',
    type: 'object',
    additionalProperties: { $ref: '#/$defs/group' },
    $defs: {
      group: {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          hosts: {
            anyOf: [text, { type: ['object', 'null'], additionalProperties: { $ref: '#/$defs/variables' } }],
          },
          children: { anyOf: [text, { type: ['object', 'null'], additionalProperties: { $ref: '#/$defs/group' } }] },
          vars: { $ref: '#/$defs/variables' },
        },
      },
      variables: {
        type: ['object', 'null'],
        properties: patch,
        patternProperties: { '^(?!patch_)': {} },
        additionalProperties: false,
      },
    },
  };
}
