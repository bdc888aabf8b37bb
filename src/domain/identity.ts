/** What tells machines apart: facts of a live host, never its name. */
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
}

export interface IdentityJudgement {
  /** Later names of a machine that an earlier one already stands for. */
  readonly duplicates: readonly { readonly host: string; readonly sameAs: string; readonly reason: string }[];
  /** Names of the machine fettle itself runs on, duplicates left out. */
  readonly controller: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * One machine only when machine id *and* live boot id match: clones share machine ids, but no two boots share a boot
 * id. Containers are given their kernel's boot id, so two of them with different host names are two.
 */
export function isSameMachine(left: MachineFacts, right: MachineFacts): boolean {
  if (left.machineId === undefined || left.bootId === undefined) return false;
  if (left.machineId !== right.machineId || left.bootId !== right.bootId) return false;
  const areContainers = left.isContainer === true && right.isContainer === true;
  return !(areContainers && left.hostName !== right.hostName);
}

/** Finds names that mean one machine (patched once), cloned machine ids (patched each, named) and the controller. */
export function judgeIdentities(machines: readonly NamedMachine[], controller?: MachineFacts): IdentityJudgement {
  const byMachineId = new Map<string, NamedMachine[]>();
  const duplicates: { host: string; sameAs: string; reason: string }[] = [];
  for (const machine of machines) {
    const { machineId } = machine.facts;
    if (machineId === undefined) continue;
    const known = byMachineId.get(machineId) ?? [];
    const twin = known.find((other) => isSameMachine(other.facts, machine.facts));
    if (twin === undefined) byMachineId.set(machineId, [...known, machine]);
    else duplicates.push({ host: machine.host, sameAs: twin.host, reason: duplicateReason(twin.host) });
  }
  const others = new Set(duplicates.map((item) => item.host));
  const isController = (machine: NamedMachine): boolean =>
    controller !== undefined && !others.has(machine.host) && isSameMachine(machine.facts, controller);
  return {
    duplicates,
    controller: machines.filter(isController).map((machine) => machine.host),
    warnings: [...byMachineId].flatMap(([machineId, known]) => cloneWarning(machineId, known)),
  };
}

function duplicateReason(sameAs: string): string {
  return `the same machine as ${sameAs} (machine id and boot id are equal); it is patched once, under that name`;
}

function cloneWarning(machineId: string, known: readonly NamedMachine[]): string[] {
  if (known.length < 2) return [];
  const names = known.map((machine) => machine.host).join(', ');
  return [`cloned machine id ${machineId}: ${names} are different machines and are patched each`];
}
