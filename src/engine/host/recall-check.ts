import type { HostScan } from '../../domain/scan.ts';
import { inStep, type CheckedHost, type HostWork } from './host-state.ts';

/** What a check found, where all of it belongs to one state of the host, known by its fingerprint. */
export function checkedHost(work: HostWork): CheckedHost | undefined {
  const { before, isController, toInstall, skipped, superseded, fingerprints } = work;
  const prints = new Set(fingerprints.values());
  const [fingerprint] = prints;
  if (before === undefined || prints.size !== 1 || fingerprint === undefined) return undefined;
  return { before, isController, toInstall, skipped, superseded, fingerprints, fingerprint };
}

/**
 * Takes over what this process found when it checked the host, and returns the scan of then. Undefined where the host
 * may have changed since: its fingerprint is another, or so much time has passed that other services may run.
 */
export async function recallCheck(work: HostWork): Promise<HostScan | undefined> {
  const { checked, context } = work;
  if (checked === undefined) return undefined;
  const ageMs = context.clock.now() - checked.before.collectedMs;
  if (ageMs < 0 || ageMs > context.limits.checkHoldsMs) return undefined;
  const fingerprint = await inStep(
    context,
    'preflight',
    () => context.remote.fingerprint(context.detach),
    (now) => ({
      ok: true,
      message: now === checked.fingerprint ? 'unchanged since the check' : 'changed since the check',
    }),
  );
  if (fingerprint !== checked.fingerprint) return undefined;
  const { before, isController, toInstall, skipped, superseded, fingerprints } = checked;
  Object.assign(work, { before, current: before, isController, toInstall, skipped, superseded, fingerprints });
  return before;
}
