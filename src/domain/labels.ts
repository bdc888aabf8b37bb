// What a host belongs to, as its inventory has it: recorded with each run, because history cannot be filled in later.
import type { Host } from './host.ts';
import { secretName, sealText } from './secret-text.ts';

type Scalar = string | number | boolean;
export type LabelValue = Scalar | readonly Scalar[];

export interface HostLabels {
  /** Sorted, `all` included. */
  readonly groups: readonly string[];
  /** `patch_owner`. */
  readonly owner?: string;
  /** `patch_ring`. */
  readonly ring?: string;
  /** Every other `patch_*` variable, by its name, but for those that only lead to the host. */
  readonly labels: Readonly<Record<string, LabelValue>>;
}

/** The labels that some hosts of a run share. */
export interface LabelSet extends HostLabels {
  /** By inventory name. */
  readonly hosts: readonly string[];
  /** Ids of those whose id is not their name. */
  readonly ids?: Readonly<Record<string, string>>;
}

/** Addresses, keys and the id: they describe how a host is found, not what it is. */
const noLabels: ReadonlySet<string> = new Set([
  'patch_id',
  'patch_mac',
  'patch_wake_address',
  'patch_winrm_certificate',
  'patch_owner',
  'patch_ring',
]);

type LabelledHost = Pick<Host, 'name' | 'id' | 'groups' | 'variables'>;

/** Hosts with the same labels together, in the order of the first host of each set. No value of a secret is in it. */
export function labelSets(hosts: readonly LabelledHost[]): readonly LabelSet[] {
  const sets = Map.groupBy(hosts, (host) => JSON.stringify(labelsOf(host)));
  return [...sets.values()].flatMap((members): LabelSet[] => {
    const [first] = members;
    if (first === undefined) return [];
    const ids = members.filter(({ id, name }) => id !== name).map(({ id, name }) => [name, id] as const);
    return [
      {
        hosts: members.map(({ name }) => name),
        ...(ids.length === 0 ? {} : { ids: Object.fromEntries(ids) }),
        ...labelsOf(first),
      },
    ];
  });
}

function labelsOf({ groups, variables }: LabelledHost): HostLabels {
  const owner = wordOf(variables['patch_owner']);
  const ring = wordOf(variables['patch_ring']);
  const labels = Object.entries(variables)
    .filter(([name]) => name.startsWith('patch_') && !noLabels.has(name) && !secretName.test(name))
    .flatMap(([name, value]) => {
      const label = labelValue(value);
      return label === undefined ? [] : [[name, label] as const];
    })
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return {
    groups,
    ...(owner === undefined ? {} : { owner }),
    ...(ring === undefined ? {} : { ring }),
    labels: Object.fromEntries(labels),
  };
}

/** A list with anything else in it, a mapping, a secret and nothing at all are no label. */
function labelValue(value: unknown): LabelValue | undefined {
  if (!Array.isArray(value)) return scalarOf(value);
  const scalars = value.map(scalarOf);
  return scalars.includes(undefined) ? undefined : scalars.filter((item) => item !== undefined);
}

function scalarOf(value: unknown): Scalar | undefined {
  if (typeof value === 'string') return sealText(value);
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

function wordOf(value: unknown): string | undefined {
  const label = labelValue(value);
  if (label === undefined) return undefined;
  return typeof label === 'object' ? label.join(', ') : String(label);
}
