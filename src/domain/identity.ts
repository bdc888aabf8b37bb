/** What identifies a machine: facts of a live host, never its name. The host reports all of it itself. */
export interface MachineFacts {
  readonly machineId?: string;
  /** Of the boot that runs now. */
  readonly bootId?: string;
  readonly hostName?: string;
  readonly isContainer?: boolean;
}

export interface NamedMachine {
  readonly host: string;
  readonly facts: MachineFacts;
  /**
   * What the connection proved of its far end: its host key, and where and by which way it was reached. Absent where
   * the transport proves none.
   */
  readonly endpoint?: string;
  /** It proved to be the machine fettle runs on. */
  readonly isController?: boolean;
}

export interface IdentityJudgement {
  /** Later names of a machine that has an earlier name already. */
  readonly duplicates: readonly { readonly host: string; readonly sameAs: string; readonly reason: string }[];
  /** Names of the machine fettle itself runs on, duplicates left out. */
  readonly controller: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Do both report the same machine? Clones share machine ids, but no two boots share a boot id; containers are
 * given their kernel's boot id, so two of them with different host names are two. Every user of a host can read these
 * values and a host may report any value, so that this alone decides nothing.
 */
export function claimsSameMachine(left: MachineFacts, right: MachineFacts): boolean {
  if (left.machineId === undefined || left.bootId === undefined) return false;
  if (left.machineId !== right.machineId || left.bootId !== right.bootId) return false;
  const areContainers = left.isContainer === true && right.isContainer === true;
  return !(areContainers && left.hostName !== right.hostName);
}

/** Both report so, and both connections led to the same address and host key: no host can cause that alone. */
function isSameMachine(left: NamedMachine, right: NamedMachine): boolean {
  if (left.endpoint === undefined || left.endpoint !== right.endpoint) return false;
  return claimsSameMachine(left.facts, right.facts);
}

/**
 * Finds names that are proven to mean one machine (patched once) and the controller. Names that only share a machine
 * id are patched each, with a warning; so is a host that claims to be the controller (`own`) and does not prove it.
 */
export function judgeIdentities(machines: readonly NamedMachine[], own?: MachineFacts): IdentityJudgement {
  const byMachineId = new Map<string, NamedMachine[]>();
  const duplicates: { host: string; sameAs: string; reason: string }[] = [];
  for (const machine of machines) {
    const { machineId } = machine.facts;
    if (machineId === undefined) continue;
    const known = byMachineId.get(machineId) ?? [];
    const twin = known.find((other) => isSameMachine(other, machine));
    if (twin === undefined) byMachineId.set(machineId, [...known, machine]);
    else duplicates.push({ host: machine.host, sameAs: twin.host, reason: duplicateReason(twin.host) });
  }
  const others = new Set(duplicates.map((item) => item.host));
  const left = machines.filter((machine) => !others.has(machine.host));
  return {
    duplicates,
    controller: left.flatMap(({ host, isController }) => (isController === true ? [host] : [])),
    warnings: [
      ...[...byMachineId].flatMap(([machineId, known]) => sharedIdWarning(machineId, known)),
      ...left.flatMap((machine) => pretenderWarning(machine, own)),
    ],
  };
}

function duplicateReason(sameAs: string): string {
  return `the same machine as ${sameAs} (same address, host key, machine id and boot id); it is patched once, under that name`;
}

function sharedIdWarning(machineId: string, known: readonly NamedMachine[]): string[] {
  if (known.length < 2) return [];
  const names = known.map((machine) => machine.host).join(', ');
  return [`same machine id ${machineId}: ${names} are not proven to be one machine and are patched each`];
}

function pretenderWarning({ host, facts, isController }: NamedMachine, own: MachineFacts | undefined): string[] {
  if (own === undefined || isController === true || !claimsSameMachine(facts, own)) return [];
  return [
    `${host} has the machine id and boot id of the machine fettle runs on, but is not proven to be it: it is treated as any other host`,
  ];
}
