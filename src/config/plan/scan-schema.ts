// The shape of a scan, as events carry it.
import { z } from 'zod';
import type { HostScan } from '../../domain/scan.ts';
import { packageIdFields, updateDetailFields } from './update-schema.ts';

const text = z.string();
const texts = z.array(text);
const number = z.number();
const flag = z.boolean();
const epochMs = number.describe('Milliseconds since 1970-01-01 UTC.');
const updateClass = z.enum(['security', 'other', 'unknown']);

const facts = z.object({
  machineId: text.exactOptional(),
  bootId: text.exactOptional(),
  hostName: text,
  family: text,
  osId: text,
  osVersion: text,
  osName: text,
  kernel: text,
  arch: text,
  init: text,
  virtualization: text.exactOptional(),
  isContainer: flag,
  uptimeSec: number.exactOptional(),
  clockSkewMs: number.exactOptional().describe("The host's time minus the controller's."),
  dmiUuid: text.exactOptional(),
});

const heldBack = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('held') }),
  z.object({ kind: z.literal('phased'), percent: number.exactOptional() }),
  z.object({ kind: z.literal('needs-new'), packages: texts }),
  z.object({ kind: z.literal('needs-removal'), packages: texts }),
  z.object({ kind: z.literal('pinned') }),
  z.object({ kind: z.literal('module'), module: text }),
  z.object({ kind: z.literal('excluded'), reason: text, unless: z.enum(['pattern', 'name', 'id']) }),
  z.object({ kind: z.literal('unknown') }),
]);

const update = z.object({
  ...packageIdFields,
  ...updateDetailFields,
  from: text,
  to: text,
  origins: texts,
  class: updateClass,
  securityTo: text.exactOptional(),
  heldBack: heldBack.exactOptional(),
  isKernel: flag,
  isDownloaded: flag.exactOptional(),
});

const installed = z.object({
  ...packageIdFields,
  version: text,
  state: z.enum(['installed', 'broken']),
  stateDetail: text.exactOptional().describe("The package manager's own word for a state that is broken."),
  isHeld: z.literal(true).exactOptional(),
  source: text,
  sourceVersion: text,
  unattended: z.enum(['leaves', 'changes']).exactOptional(),
});

const repository = z.object({
  manager: text,
  name: text,
  releasedMs: epochMs.exactOptional(),
  fetchedMs: epochMs.exactOptional(),
  problem: text.exactOptional(),
});

const reboot = z.object({
  needed: z.enum(['yes', 'no', 'unknown']),
  reasons: texts,
  signs: z
    .array(z.object({ code: text, weight: z.enum(['hard', 'soft']), words: text, isIgnored: flag.exactOptional() }))
    .exactOptional(),
  runningKernel: text,
  installedKernel: text.exactOptional(),
});

const health = z.object({
  failedUnits: texts,
  activeServices: texts,
  listeners: texts,
  staleProcesses: z.array(z.object({ pid: number, name: text, unit: text.exactOptional() })),
  staleKnown: flag,
});

const inventory = z.object({
  maker: text.exactOptional(),
  model: text.exactOptional(),
  serial: text.exactOptional(),
  bios: text.exactOptional(),
  processors: z.array(z.object({ name: text, cores: number.exactOptional(), threads: number.exactOptional() })),
  memoryBytes: number.exactOptional(),
  adapters: z.array(z.object({ name: text, mac: text, addresses: texts })),
  products: z.record(text, text),
  domain: text.exactOptional(),
  edition: text.exactOptional(),
  updatePolicy: z.record(text, text),
  updateSource: text.exactOptional(),
});

const historyEntry = z.object({
  id: text,
  revision: number,
  name: text,
  title: text,
  operation: z.enum(['install', 'uninstall', 'other']),
  result: z.enum(['succeeded', 'partly', 'failed', 'aborted', 'unknown']),
  message: text.exactOptional(),
  client: text,
  atMs: epochMs,
});

const newPackage = z.object({ ...packageIdFields, from: text.nullable(), to: text, origins: texts });

export const scanSchema = z.object({
  collectedMs: epochMs,
  isStateOnly: z.literal(true).exactOptional().describe('It did not search for updates: an earlier scan has those.'),
  managers: texts,
  facts,
  privileges: z.object({ user: text, isRoot: flag }),
  packages: z.array(installed),
  autoInstalled: texts,
  updates: z.array(update),
  newPackages: z.array(newPackage).exactOptional(),
  securityKnown: flag.describe('False: no security source is configured; the number of security updates is unknown.'),
  metadata: z.object({ fetchedMs: epochMs.exactOptional(), repositories: z.array(repository), isStale: flag }),
  reboot,
  health,
  disks: z.array(z.object({ mount: text, freeBytes: number, freeInodes: number.exactOptional() })),
  running: z.array(z.object({ name: text, pid: number, holds: texts.exactOptional() })),
  broken: z.array(installed),
  conffileLeftovers: texts,
  active: z.object({ run: text, job: text, controller: text }).exactOptional(),
  problems: z.array(z.object({ code: text, message: text, isBlocking: flag.exactOptional() })),
  scripts: texts.exactOptional().describe('Parts of the script that the host was sent; fettle version lists digests.'),
  inventory: inventory.exactOptional(),
  history: z.array(historyEntry).exactOptional(),
}) satisfies z.ZodType<HostScan>;
