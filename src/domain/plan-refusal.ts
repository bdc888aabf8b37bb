import { FettleError } from './error.ts';
import type { Plan } from './plan.ts';

/**
 * Why a plan may not be applied now, as `FettleError('approval')` (exit 10); undefined when it may. `inventory` has the
 * hash of each host's resolved, secret-free variables as they are now.
 */
export function planRefusal(
  plan: Pick<Plan, 'expiresMs' | 'hosts'>,
  nowMs: number,
  inventory: ReadonlyMap<string, string>,
): FettleError | undefined {
  const hint = 'make a new plan with `fettle plan` and have it approved';
  if (nowMs >= plan.expiresMs) {
    const when = new Date(plan.expiresMs).toISOString();
    return new FettleError('approval', `the plan expired at ${when}`, { hint, details: { expiresMs: plan.expiresMs } });
  }
  const gone = plan.hosts.filter((host) => !inventory.has(host.host)).map((host) => host.host);
  if (gone.length > 0) {
    return new FettleError('approval', `the plan names hosts that the inventory does not have: ${gone.join(', ')}`, {
      hint: `give the inventory the plan was made from, or ${hint}`,
      details: { hosts: gone },
    });
  }
  const changed = plan.hosts
    .filter((host) => inventory.get(host.host) !== host.inventorySha256)
    .map((host) => host.host);
  if (changed.length === 0) return undefined;
  return new FettleError('approval', `the inventory changed since the plan was made for ${changed.join(', ')}`, {
    hint,
    details: { hosts: changed },
  });
}
