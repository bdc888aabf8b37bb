import { controllerAddress, hostNetnsOf, prefixLength } from './places.ts';
import type { LabPlaces } from './places.ts';
import { run } from './shell.ts';
import type { CutMode, HostSpec } from './spec.ts';

/** A link layer address that nobody has. */
const nowhere = '02:00:00:00:de:ad';

function portOf(host: HostSpec): string {
  return `h${host.index}`;
}

async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  await run(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** The namespace of the controller: a bridge with its address, to which every host is plugged. */
export async function makeControllerNetwork(places: LabPlaces): Promise<void> {
  await run(['ip', 'netns', 'add', places.netns]);
  await batch(places.netns, [
    'link set lo up',
    'link add br0 type bridge',
    `addr add ${controllerAddress}/${prefixLength} dev br0`,
    'link set br0 up',
  ]);
}

export async function makeHostNetwork(places: LabPlaces, host: HostSpec): Promise<void> {
  const namespace = hostNetnsOf(places, host.name);
  await run(['ip', 'netns', 'add', namespace]);
  await batch(places.netns, [
    `link add ${portOf(host)} type veth peer name eth0 netns ${namespace}`,
    `link set ${portOf(host)} master br0 up`,
  ]);
  await batch(namespace, [
    'link set lo up',
    `addr add ${host.address}/${prefixLength} dev eth0`,
    'link set eth0 up',
    `route add default via ${controllerAddress}`,
  ]);
}

/** Pulls the cable of a host, or plugs it in. */
export async function setLink(places: LabPlaces, host: HostSpec, isUp: boolean): Promise<void> {
  await batch(places.netns, [`link set ${portOf(host)} ${isUp ? 'up' : 'down'}`]);
}

/** Loses packets between the controller and a host from now on. */
export async function cut(places: LabPlaces, host: HostSpec, mode: CutMode): Promise<void> {
  switch (mode) {
    case 'link':
      return setLink(places, host, false);
    case 'silent':
      return setPortState(places, host, 'disabled');
    case 'to-host':
      return batch(places.netns, [`neigh replace ${host.address} lladdr ${nowhere} nud permanent dev br0`]);
    case 'from-host': {
      const line = `neigh replace ${controllerAddress} lladdr ${nowhere} nud permanent dev eth0`;
      return batch(hostNetnsOf(places, host.name), [line]);
    }
  }
}

export async function restore(places: LabPlaces, host: HostSpec, mode: CutMode): Promise<void> {
  switch (mode) {
    case 'link':
      return setLink(places, host, true);
    case 'silent':
      return setPortState(places, host, 'forwarding');
    case 'to-host':
      return batch(places.netns, [`neigh del ${host.address} dev br0`]);
    case 'from-host':
      return batch(hostNetnsOf(places, host.name), [`neigh del ${controllerAddress} dev eth0`]);
  }
}

/** A disabled port of a bridge drops what comes from either side and keeps its carrier; see bridge(8). */
async function setPortState(places: LabPlaces, host: HostSpec, state: 'disabled' | 'forwarding'): Promise<void> {
  await run(['bridge', '-n', places.netns, 'link', 'set', 'dev', portOf(host), 'state', state]);
}
