import { startLab } from '../lab.ts';
import type { Lab } from '../lab.ts';
import { nativeArchitecture } from '../mirror.ts';
import { Scenario } from '../scenario.ts';

const hooks = {
  before_host: [
    { name: 'drain', local: ['sh', '-c', 'echo drained "$1"', 'sh', '{{host}}'], timeout: '10s' },
    { name: 'gate', remote: 'true' },
  ],
  before_reboot: [{ name: 'calm', remote: 'true' }],
  after_host: [{ name: 'undrain', local: ['sh', '-c', 'echo back "$1"', 'sh', '{{host}}'], runs: 'always' }],
};

export interface Scene {
  readonly lab: Lab;
  /** The path of a plan that has every kind of side effect, on two hosts at once. */
  readonly plan: string;
}

/** Two hosts, one that reboots into a new kernel and one whose sudo asks for a password. */
export async function startScene(): Promise<Scene> {
  const kernel = `linux-image-${await nativeArchitecture()}`;
  const lab = await startLab({
    name: 'synced',
    hosts: [
      { name: 'web01', packages: ['fettle-app', kernel] },
      { name: 'web02', packages: ['fettle-app'], sudo: 'password' },
    ],
  });
  const scenario = await Scenario.start(lab, { hooks, rollout: { waves: ['rest'] } });
  await scenario.makePlan();
  return { lab, plan: scenario.plan };
}
