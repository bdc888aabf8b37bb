import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldBackRefusal, heldBackText, heldBackWord, type HeldBack } from '../../src/domain/held-back.ts';
import { ruleText } from '../../src/domain/rule-text.ts';

const cases: readonly [heldBack: HeldBack, word: string, text: string, rule: string][] = [
  [{ kind: 'held' }, 'held', 'held on the host', ''],
  [{ kind: 'phased' }, 'phased', 'phased', '; the playbook does not include phased updates'],
  [{ kind: 'phased', percent: 0 }, 'phased 0 %', 'phased 0 %', '; the playbook does not include phased updates'],
  [
    { kind: 'needs-new', packages: ['a', 'b'] },
    'needs-new',
    'needs new packages (a, b)',
    '; the playbook refuses new packages',
  ],
  [{ kind: 'needs-removal', packages: ['a'] }, 'needs-removal', 'would remove a', '; removals are refused'],
  [{ kind: 'pinned' }, 'pinned', 'pinned by the package preferences of the host', ''],
  [{ kind: 'excluded', reason: 'a driver', unless: 'name' }, 'excluded', 'a driver', '; the playbook does not name it'],
];

test('an update that is held back has one stable word, one text, and in a plan the rule that applies', () => {
  for (const [heldBack, word, text, rule] of cases) {
    assert.deepEqual(
      [heldBackWord(heldBack), heldBackText(heldBack), heldBackRefusal(heldBack)],
      [word, text, `${text}${rule}`],
    );
  }
});

test('a rule of a playbook is described by its own keys, package managers included', () => {
  assert.equal(ruleText({}), 'everything');
  assert.equal(
    ruleText({ class: 'security', managers: ['snap'], packages: ['a*', 'b'], severities: ['critical'] }),
    'class security, managers snap, packages a*, b, severities critical',
  );
});
