import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { formatDiagnostic, type Diagnostic } from '../../../src/config/yaml/diagnostic.ts';
import { loadPlaybook } from '../../../src/config/playbook/playbook.ts';
import { playbookJsonSchema } from '../../../src/config/playbook/schema.ts';
import { playbookDefaults, type Playbook } from '../../../src/domain/playbook.ts';
import { filesWith } from '../files.ts';

const head = 'kind: patch\nversion: 1\nname: n\ntargets: {select: all}\n';

async function load(text: string | Uint8Array): Promise<{ playbook?: Playbook; diagnostics: readonly Diagnostic[] }> {
  await using files = await filesWith({ 'p.yaml': text });
  return await loadPlaybook(files.path('p.yaml'));
}

async function good(text: string): Promise<Playbook> {
  const { playbook, diagnostics } = await load(text);
  return playbook ?? assert.fail(diagnostics.map(formatDiagnostic).join('\n'));
}

const all = ['failed', 'unreachable', 'unverified', 'drifted'] as const;

describe('a playbook', () => {
  test('that is silent means the defaults', async () => {
    assert.deepEqual(await good(head), {
      name: 'n',
      targets: { select: 'all', guard: {} },
      policy: { include: [], exclude: [], securityOnly: false, includePhased: false, newPackages: 'allow' },
      rollout: { ...playbookDefaults, order: 'inventory' },
      install: {
        timeoutMs: 3_600_000,
        lockWaitMs: 600_000,
        conffile: 'keep-old',
        onDrift: 'refuse-host',
        restartServices: 'report',
        maxAgeMs: 21_600_000,
      },
      reboot: {
        mode: 'never',
        max: 2,
        goDownMs: 120_000,
        comeBackMs: 600_000,
        settleMs: 60_000,
        hasDefaultLimits: true,
      },
      verify: {
        failedUnits: 'fail',
        listeners: 'fail',
        staleProcesses: 'warn',
        ignore: [],
        retries: 3,
        retryDelayMs: 5000,
      },
      hooks: { before_host: [], before_reboot: [], after_host: [] },
      planExpiresMs: 604_800_000,
      sha256: createHash('sha256').update(head).digest('hex'),
    });
  });

  test('that sets every key has every setting', async () => {
    const text = `${head}description: d
policy:
  include: [{class: security}, {class: any, packages: [ssl*]}]
  exclude: {packages: [a]}
  security_only: true
  include_phased: true
  new_packages: refuse
rollout:
  concurrency: 7
  order: shuffle
  budget: {max: 2, percent: 3%, counts: [failed]}
  waves: [1, 25%, {name: c, select: web, where: {ring: a}, take: 3, concurrency: 2, budget: {max: 1}}, rest]
install: {timeout: 1m, lock_wait: 0s, conffile: take-new, on_drift: supersede, restart_services: stale, max_age: 1h}
reboot: {mode: if-needed, max: 1, go_down: 1m, come_back: 2m, settle: 3s, concurrency: 4}
verify: {failed_units: warn, listeners: ignore, stale_processes: fail, ignore: [x*], retries: 0, retry_delay: 1s}
hooks:
  before_host: [{name: drain, local: [lb, "{{host}}"], timeout: 2m, on_error: warn}]
  after_host: [{name: undrain, remote: "true", runs: always}]
plan: {expires: 1d}
`;
    const { policy, rollout, install, reboot, verify, hooks, planExpiresMs } = await good(text);
    assert.deepEqual(policy, {
      include: [{ class: 'security' }, { class: 'any', packages: ['ssl*'] }],
      exclude: [{ packages: ['a'] }],
      securityOnly: true,
      includePhased: true,
      newPackages: 'refuse',
    });
    assert.deepEqual(rollout, {
      concurrency: 7,
      order: 'shuffle',
      budget: { max: 2, percent: 3, counts: ['failed'] },
      waves: [
        { name: 'wave-1', take: { kind: 'count', count: 1 } },
        { name: 'wave-2', take: { kind: 'percent', percent: 25 } },
        {
          name: 'c',
          select: 'web',
          where: { ring: 'a' },
          take: { kind: 'count', count: 3 },
          concurrency: 2,
          budget: { max: 1, counts: all },
        },
        { name: 'rest', take: { kind: 'rest' } },
      ],
    });
    assert.deepEqual(install, {
      timeoutMs: 60_000,
      lockWaitMs: 0,
      conffile: 'take-new',
      onDrift: 'supersede',
      restartServices: 'stale',
      maxAgeMs: 3_600_000,
    });
    assert.deepEqual(reboot, {
      mode: 'if-needed',
      isWritten: true,
      max: 1,
      goDownMs: 60_000,
      comeBackMs: 120_000,
      settleMs: 3000,
      concurrency: 4,
    });
    assert.equal(verify.retries, 0);
    assert.deepEqual(hooks.before_host, [
      { name: 'drain', local: ['lb', '{{host}}'], timeoutMs: 120_000, onError: 'warn', runs: 'on-success' },
    ]);
    assert.deepEqual(hooks.after_host, [
      { name: 'undrain', remote: 'true', timeoutMs: 300_000, onError: 'fail-host', runs: 'always' },
    ]);
    assert.equal(planExpiresMs, 86_400_000);
  });

  test('allows as many hosts of one update server as it sets', async () => {
    assert.equal((await good(`${head}rollout: {per_source: 5}\n`)).rollout.perSource, 5);
    assert.equal((await good(head)).rollout.perSource, undefined);
  });

  test('leaves hosts in use alone only where it is set', async () => {
    assert.equal((await good(`${head}reboot: {mode: always, if_idle: true}\n`)).reboot.ifIdle, true);
    assert.equal((await good(`${head}reboot: {mode: always, if_idle: false}\n`)).reboot.ifIdle, undefined);
  });

  test('knows whether it writes the reboot mode itself', async () => {
    assert.equal((await good(`${head}reboot: never\n`)).reboot.isWritten, true);
    assert.equal((await good(`${head}reboot: {max: 1}\n`)).reboot.isWritten, undefined);
  });

  test('accepts refuse for refuse-host', async () => {
    assert.equal((await good(`${head}install: {on_drift: refuse}\n`)).install.onDrift, 'refuse-host');
  });
});

const wrong: readonly [text: string, expected: RegExp][] = [
  ['', /:1:1: this is not a playbook/],
  ['- a\n', /:1:1: this is not a playbook/],
  ['all: {hosts: }\n', /this is an inventory, not a playbook/],
  ['name: a\n', /the key kind is missing/],
  [head.replace('patch', 'plan'), /:1:7: kind: must be patch/],
  [head.replace('1', '2'), /:2:10: version: must be 1, the version/],
  [head.replace('name: n\n', ''), /the key name is missing/],
  [`${head}nam: x\n`, /:5:1: playbook: unknown key nam[^]*did you mean name/],
  [`${head}zzzzzzzz: x\n`, /unknown key zzzzzzzz[^]*known here: kind, version/],
  [`${head}install:\n  timeot: 1m\n`, /:6:3: install: unknown key timeot[^]*did you mean timeout/],
  [`${head}install: {timeout: 60}\n`, /:5:20: install\.timeout: must be a duration/],
  [`${head}install: {timeout: 0s}\n`, /:5:20: install\.timeout: must be longer/],
  [`${head}install: {on_drift: later}\n`, /:5:21: install\.on_drift: must be one of refuse, /],
  [`${head}install:\n`, /:5:1: install: must be a mapping/],
  [`${head}verify: nope\n`, /:5:9: verify: must be a mapping/],
  [`${head}verify: {retries: 1.5}\n`, /:5:19: verify\.retries: must be a whole number/],
  [`${head}verify: {retries: -1}\n`, /verify\.retries: must be at least 0/],
  [`${head}reboot: sometimes\n`, /:5:9: reboot: must be one of never, if-needed, always/],
  [`${head}reboot: {mode: sometimes}\n`, /:5:16: reboot\.mode: must be one of never/],
  [`${head}reboot: {max: 99}\n`, /reboot\.max: must be at most 10/],
  [`${head}policy: {include: [{class: bugfix}]}\n`, /:5:28: policy\.include\[0\]\.class: must be one of security/],
  [
    `${head}policy: {include: [{}]}\n`,
    /policy\.include\[0\]: needs class, managers, packages, titles, classifications or severities/,
  ],
  [
    `${head}policy: {exclude: {package: [a]}}\n`,
    /:5:20: policy\.exclude: unknown key package[^]*did you mean packages/,
  ],
  [`${head}policy: {security_only: maybe}\n`, /policy\.security_only: must be true or false/],
  [`${head}rollout: {waves: []}\n`, /:5:11: rollout\.waves: must not be empty/],
  [`${head}rollout: {waves: [0]}\n`, /:5:19: rollout\.waves\[0\]: must be a number of hosts/],
  [`${head}rollout: {waves: [1, {take: 200%}]}\n`, /:5:29: rollout\.waves\[1\]\.take: must be a number of hosts/],
  [`${head}rollout: {waves: [{tak: 1}]}\n`, /rollout\.waves\[0\]: unknown key tak[^]*did you mean take/],
  [`${head}rollout: {waves: [{where: {a: [1]}}]}\n`, /rollout\.waves\[0\]\.where\.a: must be text, a number/],
  [`${head}rollout: {budget: {percent: 5}}\n`, /rollout\.budget\.percent: must be a percentage/],
  [`${head}hooks: {before_host: [{name: a}]}\n`, /:5:23: hooks\.before_host\[0\]: needs either local or remote/],
  [`${head}hooks: {before_host: [{name: a, local: x}]}\n`, /:5:40: hooks\.before_host\[0\]\.local: must be a list/],
  [
    `${head}hooks: {before_host: [{name: a, remote: x, runs: always}]}\n`,
    /:5:50: hooks\.before_host\[0\]\.runs: runs is only/,
  ],
  [`${head}install: {remove_old_kernels: {keep: 2}}\n`, /remove_old_kernels/],
  [`${head}install: {timeout: 1m}\ninstall: {timeout: [\n`, /broken YAML/],
  [
    `a: &a [x, x]\n${['ab', 'bc', 'cd', 'de', 'ef'].map(([from, to]) => `${to}: &${to} [${`*${from}, `.repeat(20)}]\n`).join('')}kind: patch\n`,
    /broken YAML: .*more than 1000000 entries/,
  ],
  [`${head}rollout: {waves: [{take: rest, where: {__proto__: x}}]}\n`, /key __proto__ cannot be used/],
];

describe('a mistake in a playbook', () => {
  for (const [text, expected] of wrong) {
    test(`${JSON.stringify(text.replace(head, '')).slice(0, 70)} is reported at its place`, async () => {
      const { playbook, diagnostics } = await load(text);
      const shown = diagnostics.map(formatDiagnostic);
      assert.ok(
        shown.some((line) => expected.test(line)),
        shown.join('\n'),
      );
      assert.equal(playbook, undefined);
    });
  }

  const later = [
    ['window: now', 'window'],
    ['approvals: {}', 'approvals'],
    ['notify: []', 'notify'],
    ['on_failure: {}', 'on_failure'],
    ['evidence: {}', 'evidence'],
    ['rollout: {per: {a: 1}}', 'rollout.per'],
    ['rollout: {waves: [{gate: {soak: 2h}}]}', 'rollout.waves[0].gate'],
    ['rollout: {waves: [{take: 1, min_healthy: 10m}]}', 'rollout.waves[0].min_healthy'],
    ['policy: {min_age: 7d}', 'policy.min_age'],
    ['policy: {due: {}}', 'policy.due'],
    ['policy: {include: [{kev: true}]}', 'policy.include[0].kev'],
    ['policy: {include: [{cves: [a]}]}', 'policy.include[0].cves'],
    ['policy: {exclude: {kbs: [a]}}', 'policy.exclude.kbs'],
  ];
  for (const [text, key] of later) {
    test(`${text} is refused by name as work of later`, async () => {
      const { diagnostics } = await load(`${head}${text}\n`);
      const messages = diagnostics.map(({ message }) => message);
      assert.deepEqual(messages, [`${key} is not available in this version`]);
    });
  }

  test('is one of several, in the order of the file', async () => {
    const { diagnostics } = await load(`${head}verify: {retries: -1}\ninstall: {timeout: x}\nwindow: a\n`);
    assert.deepEqual(
      diagnostics.map(({ line }) => line),
      [5, 6, 7],
    );
  });

  test('in a key that is twice is a warning', async () => {
    const { playbook, diagnostics } = await load(`${head}name: m\n`);
    assert.equal(playbook?.name, 'm');
    assert.deepEqual(
      diagnostics.map(({ severity, message }) => [severity, message]),
      [['warning', 'the key name appears twice; the last one applies']],
    );
  });

  test('are given for a missing file, too, without a position', async () => {
    const { diagnostics } = await loadPlaybook('/nonexistent/p.yaml');
    assert.match(
      formatDiagnostic(diagnostics[0] ?? assert.fail()),
      /^\/nonexistent\/p\.yaml: cannot be opened: no such file/,
    );
  });
});

test('the JSON Schema of a playbook names its keys', () => {
  const schema = playbookJsonSchema();
  assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  assert.deepEqual(schema['required'], ['kind', 'version', 'name', 'targets']);
  assert.match(JSON.stringify(schema), /max_share_of_inventory/);
});
