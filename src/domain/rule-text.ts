import type { UpdateRule } from './playbook.ts';

/** A rule of a playbook with its own keys: `class security, packages linux-*, openssl`. */
export function ruleText(rule: UpdateRule): string {
  const { class: kind, managers, packages, titles, classifications, severities } = rule;
  const lists = Object.entries({ managers, packages, titles, classifications, severities });
  const parts = [
    ...(kind === undefined ? [] : [`class ${kind}`]),
    ...lists.flatMap(([key, values]) => (values === undefined ? [] : [`${key} ${values.join(', ')}`])),
  ];
  return parts.length === 0 ? 'everything' : parts.join(', ');
}
