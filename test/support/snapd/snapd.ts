// A stand-in for snapd where it cannot run: its REST API on a Unix socket (snapcraft.io/docs/snapd-rest-api), as far as
// `snap list`, `refresh`, `changes` and `watch` use it. Words of errors and names of tasks are those of snapd 2.57 to 2.77.
import { chmodSync, mkdirSync } from 'node:fs';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { ChangeList } from './changes.ts';
import type { Change } from './changes.ts';

interface Revision {
  readonly revision: string;
  readonly version: string;
  /** Bytes. */
  readonly size?: number;
}

export interface InstalledSnap extends Revision {
  readonly name: string;
  readonly tracking?: string;
  readonly publisher?: string;
  readonly type?: 'app' | 'base' | 'snapd' | 'kernel' | 'os';
  /** What the channel that it follows offers; absent = what is installed. */
  readonly offered?: Revision;
  /** A hold of this snap, RFC 3339. */
  readonly hold?: string;
  readonly isBroken?: boolean;
  readonly isDevmode?: boolean;
  /** Process ids of apps of it that run. */
  readonly running?: readonly number[];
  /** A task of its next refresh that fails, after which snapd undoes the change. */
  readonly failing?: { readonly task: string; readonly words: string };
}

export interface SnapdOptions {
  readonly snaps: readonly InstalledSnap[];
  /** `refresh.hold` of the system, RFC 3339. */
  readonly hold?: string;
}

/** An error of the API; `kind` as in client/errors.go of snapd. */
class ApiError extends Error {
  readonly status: number;
  readonly kind: string | undefined;
  readonly value: unknown;

  constructor(status: number, message: string, kind?: string, value?: unknown) {
    super(message);
    this.status = status;
    this.kind = kind;
    this.value = value;
  }
}

const noStore =
  'persistent network error: Post "https://api.snapcraft.io/v2/snaps/refresh": dial tcp: lookup api.snapcraft.io: ' +
  'Temporary failure in name resolution';

export class Snapd {
  readonly changes = new ChangeList();
  /** False: the store does not answer. */
  isStoreUp = true;
  /** False: whoever asks may read and change nothing, as an account that is not root. */
  mayChange = true;
  /** Bodies of the refreshes that were asked for. */
  readonly asked: string[] = [];
  /** Called at the next refresh that is asked for, before it is judged. */
  onRefresh: (() => void) | undefined;
  readonly #snaps: Map<string, InstalledSnap>;
  readonly #hold: string | undefined;
  readonly #server: Server;

  constructor({ snaps, hold }: SnapdOptions) {
    this.#snaps = new Map(snaps.map((item) => [item.name, item]));
    this.#hold = hold;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Starts to answer at `<root>/run/snapd.socket`, to any account, as snapd does; it may be started again. */
  async listen(root: string): Promise<void> {
    const socket = `${root}/run/snapd.socket`;
    mkdirSync(dirname(socket), { recursive: true });
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(socket, resolve));
    chmodSync(socket, 0o666);
  }

  /** Answers nobody any more; its socket is gone, and its changes stay where they are until `stop` or `listen`. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async stop(): Promise<void> {
    this.changes.stop();
    await this.close();
  }

  snap(name: string): InstalledSnap {
    const found = this.#snaps.get(name);
    if (found === undefined) throw new RangeError(`there is no snap ${name}`);
    return found;
  }

  set(name: string, over: Partial<InstalledSnap>): void {
    this.#snaps.set(name, { ...this.snap(name), ...over });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const body = Buffer.concat(chunks).toString('utf8');
      if (request.method === 'POST') this.#post(url.pathname, body, response);
      else answer(response, 200, { type: 'sync', result: this.#get(url) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, message, kind, value } = error;
      answer(response, status, { type: 'error', result: { message, kind, value } });
    }
  }

  #get({ pathname, searchParams }: URL): unknown {
    if (pathname === '/v2/system-info') return this.#systemInfo();
    if (pathname === '/v2/snaps') return this.#list(searchParams.get('snaps'));
    if (pathname === '/v2/find' && searchParams.get('select') === 'refresh') return this.#candidates();
    if (pathname === '/v2/changes') return this.#changesOf(searchParams.get('for'));
    const found = /^\/v2\/changes\/(\d+)$/.exec(pathname)?.[1];
    if (found === undefined) throw new ApiError(404, 'not found');
    const change = this.changes.find(found);
    if (change === undefined) throw new ApiError(404, `cannot find change with id "${found}"`);
    return change.toJson();
  }

  #changesOf(name: string | null): unknown {
    const found = this.changes.all().filter(({ names }) => name === null || names.includes(name));
    return found.map(({ toJson }) => toJson());
  }

  #systemInfo(): unknown {
    const hold = this.#hold === undefined ? {} : { hold: this.#hold };
    const refresh = { timer: '00:00~24:00/4', last: '2026-11-29T22:14:00Z', next: '2026-11-30T18:37:00Z', ...hold };
    return { series: '16', version: '2.63', 'on-classic': true, refresh };
  }

  #list(names: string | null): unknown {
    const wanted = names?.split(',');
    return [...this.#snaps.values()].filter((item) => wanted?.includes(item.name) ?? true).map(installedJson);
  }

  /** Those that the store offers another revision of; held ones are among them, devmode and local ones are not. */
  #candidates(): unknown {
    if (!this.isStoreUp) throw new ApiError(500, `cannot list updates: ${noStore}`);
    return [...this.#snaps.values()]
      .filter((item) => isOffered(item) && item.isDevmode !== true && !item.revision.startsWith('x'))
      .map((item) => ({ ...snapJson(item, item.offered ?? item), status: 'available' }));
  }

  #post(path: string, body: string, response: ServerResponse): void {
    const name = /^\/v2\/snaps\/([^/]+)$/.exec(path)?.[1];
    const { action, revision } = JSON.parse(body) as { readonly action?: string; readonly revision?: string };
    if (name === undefined || action !== 'refresh') throw new ApiError(400, `the stand-in for snapd has no ${action}`);
    if (!this.mayChange) throw new ApiError(401, 'access denied', 'login-required');
    this.asked.push(body);
    const called = this.onRefresh;
    this.onRefresh = undefined;
    called?.();
    const change = this.#refresh(name, revision);
    answer(response, 202, { type: 'async', result: null, change: change.id });
  }

  #refresh(name: string, revision: string | undefined): Change {
    const current = this.#snaps.get(name);
    if (current === undefined) throw new ApiError(404, `snap "${name}" is not installed`, 'snap-not-installed', name);
    if (!this.isStoreUp) throw new ApiError(400, `cannot refresh "${name}": ${noStore}`);
    const target = isOffered(current) ? (current.offered ?? current) : current;
    if (revision !== undefined && revision !== target.revision) {
      throw new ApiError(404, 'no snap revision available as specified', 'snap-revision-not-available', name);
    }
    if (target.revision === current.revision) {
      throw new ApiError(400, 'snap has no updates available', 'snap-no-update-available', name);
    }
    const busy = this.changes.all().find((change) => !change.isReady && change.names.includes(name));
    if (busy !== undefined) {
      const value = { 'snap-name': name, 'change-kind': busy.kind };
      throw new ApiError(409, `snap "${name}" has "${busy.kind}" change in progress`, 'snap-change-conflict', value);
    }
    if (current.running !== undefined) {
      const pids = current.running.join(',');
      throw new ApiError(400, `cannot refresh "${name}": snap "${name}" has running apps (${name}), pids: ${pids}`);
    }
    return this.changes.begin({
      kind: 'refresh-snap',
      summary: `Refresh "${name}" snap`,
      names: [name],
      tasks: tasksOf(name, target.revision, current.tracking ?? ''),
      ...(current.failing === undefined ? {} : { failing: current.failing }),
      onDone: () => this.set(name, target),
    });
  }
}

function isOffered({ offered, revision }: InstalledSnap): boolean {
  return offered !== undefined && offered.revision !== revision;
}

/** What a refresh does, in the words of overlord/snapstate. */
function tasksOf(name: string, revision: string, channel: string): readonly string[] {
  const snap = `snap "${name}" (${revision})`;
  return [
    `Ensure prerequisites for "${name}" are available`,
    `Download ${snap} from channel "${channel}"`,
    `Fetch and check assertions for ${snap}`,
    `Mount ${snap}`,
    `Run pre-refresh hook of "${name}" snap if present`,
    `Stop snap "${name}" services`,
    `Make current revision for snap "${name}" unavailable`,
    `Copy snap "${name}" data`,
    `Setup ${snap} security profiles`,
    `Make ${snap} available to the system`,
    `Run post-refresh hook of "${name}" snap if present`,
    `Start ${snap} services`,
    `Run health check of "${name}" snap`,
  ];
}

function installedJson(item: InstalledSnap): unknown {
  return {
    ...snapJson(item, item),
    status: 'active',
    'installed-size': item.size ?? 0,
    'tracking-channel': item.tracking ?? '',
    devmode: item.isDevmode ?? false,
    ...(item.hold === undefined ? {} : { hold: item.hold }),
    ...(item.isBroken === true ? { broken: `cannot find installed snap "${item.name}"` } : {}),
  };
}

function snapJson(item: InstalledSnap, { revision, version, size = 0 }: Revision): object {
  const { name, publisher } = item;
  const account = { id: publisher, username: publisher, 'display-name': publisher, validation: 'verified' };
  return {
    ...{ id: `${name}-id`, name, summary: name, description: '', version, revision, channel: item.tracking ?? '' },
    ...(size === 0 ? {} : { 'download-size': size }),
    ...(publisher === undefined ? {} : { publisher: account, developer: publisher }),
    ...{ type: item.type ?? 'app', confinement: 'strict', private: false, 'ignore-validation': false, jailmode: false },
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ ...body, 'status-code': status, status: STATUS_CODES[status] ?? '' }));
}
