// Reads the room table of ARCHITECTURE.md and holds the code against it.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { parse } from '@babel/parser';

const root = join(import.meta.dirname, '..');

interface Room {
  readonly name: string;
  readonly mayImport: readonly string[];
  readonly packages: readonly string[];
}

interface Import {
  readonly from: string;
  readonly to: string;
}

function words(cell: string): string[] {
  return cell
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function readRooms(): ReadonlyMap<string, Room> {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rooms = new Map<string, Room>();
  for (const line of text.split('\n')) {
    const cells = line.split('|').slice(1, -1);
    const name = /^\s*`([a-z]+)`\s*$/.exec(cells[0] ?? '')?.[1];
    if (name === undefined || cells.length !== 4) continue;
    rooms.set(name, { name, mayImport: words(cells[2] ?? ''), packages: words(cells[3] ?? '') });
  }
  return rooms;
}

/** `src/engine/rollout/apply.ts` → `engine`; `src/app.ts` → `app`. */
function roomOf(file: string): string {
  return relative('src', file).split('/')[0]?.replace(/\.ts$/, '') ?? '';
}

interface Folder {
  /** `engine`, `transport/winrm`: what it is a folder of. */
  readonly parent: string;
  /** `.` for the files that lie in the parent itself. */
  readonly name: string;
  readonly mayImport: readonly string[];
}

function readFolders(): readonly Folder[] {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  return text.split('\n').flatMap((line) => {
    const cells = line.split('|').slice(1, -1);
    const [, parent, name] = /^\s*`([a-z/]+)\/([a-z0-9-]+|\.)`\s*$/.exec(cells[0] ?? '') ?? [];
    if (parent === undefined || name === undefined || cells.length !== 3) return [];
    return [{ parent, name, mayImport: words(cells[2] ?? '') }];
  });
}

/** `src/engine/host/reboot.ts` in `engine` → `host`; undefined outside of the parent. */
function folderOf(file: string, parent: string): string | undefined {
  const path = relative(join('src', parent), file).split('/');
  if (path[0] === '..') return undefined;
  return path.length === 1 ? '.' : path[0];
}

/** Import specifiers of one file: static, type-only, re-exported, dynamic and `new URL(…, import.meta.url)`. */
function specifiers(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found: string[] = [];
  const ast = parse(source, {
    sourceType: 'module',
    plugins: ['typescript'],
    createImportExpressions: true,
  });
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
    } else if (typeof node === 'object' && node !== null && 'type' in node) {
      const source =
        'source' in node ? node.source : 'argument' in node && node.type === 'TSImportType' ? node.argument : undefined;
      if (typeof source === 'object' && source !== null && 'value' in source && typeof source.value === 'string') {
        found.push(source.value);
      }
      for (const value of Object.values(node)) visit(value);
    }
  };
  visit(ast.program);
  return found;
}

const rooms = readRooms();
const files = globSync('src/**/*.ts', { cwd: root }).sort();
const imports: Import[] = [];
const packages: Import[] = [];
for (const file of files) {
  for (const specifier of specifiers(file)) {
    if (specifier.startsWith('node:')) continue;
    if (specifier.startsWith('.')) imports.push({ from: file, to: join(dirname(file), specifier) });
    else
      packages.push({
        from: file,
        to: specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      });
  }
}

test('the table names every room of src/ and no other', () => {
  assert.deepEqual([...rooms.keys()].sort(), [...new Set(files.map(roomOf))].sort());
});

test('a room imports only the rooms the table allows', () => {
  const wrong = imports.filter(({ from, to }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    return room !== other && !rooms.get(room)?.mayImport.includes(other);
  });
  assert.deepEqual(wrong, []);
});

test('the table itself points downward', () => {
  const order = [...rooms.keys()];
  for (const room of rooms.values()) {
    for (const other of room.mayImport) {
      assert.ok(
        order.indexOf(other) > order.indexOf(room.name),
        `${room.name} may not import ${other}, which is above it`,
      );
    }
  }
});

const folders = readFolders();
const parents = [...new Set(folders.map((folder) => folder.parent))];

test('the table of folders names every folder of its rooms and no other, and every room that has folders', () => {
  for (const parent of parents) {
    const there = new Set(files.flatMap((file) => folderOf(file, parent) ?? []));
    const named = folders.filter((folder) => folder.parent === parent).map((folder) => folder.name);
    assert.deepEqual(named.toSorted(), [...there].sort(), parent);
  }
  const deep = new Set(files.filter((file) => file.split('/').length > 3).map(roomOf));
  const flatTransports = ['transport'];
  assert.deepEqual(
    [...deep].filter((room) => !flatTransports.includes(room) && !parents.includes(room)),
    [],
  );
});

test('a folder imports only the folders beside it that its table allows', () => {
  const allowed = new Map(folders.map(({ parent, name, mayImport }) => [`${parent}/${name}`, mayImport]));
  const wrong = parents.flatMap((parent) =>
    imports.filter(({ from, to }) => {
      const [folder, other] = [folderOf(from, parent), folderOf(to, parent)];
      if (folder === undefined || other === undefined || folder === other) return false;
      return allowed.get(`${parent}/${folder}`)?.includes(other) !== true;
    }),
  );
  assert.deepEqual(wrong, []);
});

test('the table of folders points downward', () => {
  for (const { parent, name, mayImport } of folders) {
    const order = folders.filter((folder) => folder.parent === parent).map((folder) => folder.name);
    const upward = mayImport.filter((other) => order.indexOf(other) <= order.indexOf(name));
    assert.deepEqual(upward, [], `${parent}/${name}`);
  }
});

test('there is no circle of imports, type imports included', () => {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to]);
  const state = new Map<string, 'open' | 'closed'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'closed') return;
    if (state.get(file) === 'open') {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'closed');
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(circles, []);
});

test('a third-party package is used only in its rooms, and each is a dependency', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  const dependencies = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const wrong = packages.filter(
    ({ from, to }) => !rooms.get(roomOf(from))?.packages.includes(to) || !(to in dependencies),
  );
  assert.deepEqual(wrong, []);
  const used = new Set(packages.map(({ to }) => to));
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => !used.has(name)),
    [],
    'dependencies nobody imports',
  );
});

test('the pure rooms do no I/O and read no clock', () => {
  for (const file of files.filter((name) => ['domain', 'managers', 'base'].includes(roomOf(name)))) {
    const source = readFileSync(join(root, file), 'utf8');
    assert.doesNotMatch(source, /from 'node:(fs|net|child_process|http|https|dns|os)/, file);
    if (file !== 'src/base/clock.ts') assert.doesNotMatch(source, /Date\.now\(\)|Math\.random\(\)|process\./, file);
  }
});

test('process and console belong to cli.ts and app.ts alone', () => {
  for (const file of files.filter((name) => !['cli', 'app'].includes(roomOf(name)))) {
    const source = readFileSync(join(root, file), 'utf8');
    assert.doesNotMatch(
      source,
      /(?<![./])\bconsole\.(log|error|warn|info|debug)|\bprocess\.(argv|env|stdout|stderr|stdin|exit|on|cwd)\b/,
      file,
    );
  }
});

test('no file of src/ is a barrel, a drawer, or longer than 300 lines', () => {
  for (const file of files) {
    assert.doesNotMatch(file, /\/(index|utils?|helpers?|common|types)\.ts$/);
    const lines = readFileSync(join(root, file), 'utf8').split('\n').length;
    assert.ok(lines <= 301, `${file} has ${lines} lines`);
  }
});

test('package versions are pinned exactly', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
  for (const [name, version] of kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}))) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

test('every file and folder that ARCHITECTURE.md names is there', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const known = new Set(files.map((file) => relative('src', file).split('/')[0]));
  const named = [...text.matchAll(/`([a-z0-9-]+(?:\/[a-z0-9.-]+)+\/?)`/g)].map(([, path = '']) => path);
  const ours = named.filter((path) => known.has(path.split('/')[0] ?? '') && !path.endsWith('/.'));
  assert.ok(ours.length > 50, `only ${ours.length} paths`);
  assert.deepEqual(
    ours.filter((path) => !existsSync(join(root, 'src', path))),
    [],
  );
});
