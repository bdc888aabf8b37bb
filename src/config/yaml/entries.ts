// What the nodes of a YAML document mean: aliases followed, merge keys laid under, values made plain. Everything that a
// small file can multiply is counted here.
import { isAlias, isMap, isPair, isScalar, isSeq, visit, YAMLMap } from 'yaml';
import type { Document, Pair, Scalar } from 'yaml';
import { FettleError } from '../../domain/error.ts';

/** One key of a mapping with its nodes. */
export interface Entry {
  readonly key: Scalar;
  /** Aliases are already followed. */
  readonly value: unknown;
}

/** More entries, values, groups and hosts than any inventory has; a file of a few lines can mean as many by aliases. */
const mostExpansions = 1_000_000;

/** The nodes of one document. */
export class NodeReader {
  /** What each alias means: the last node before it with that anchor. */
  readonly #targets = new Map<unknown, unknown>();
  readonly #entries = new WeakMap<YAMLMap, readonly Entry[]>();
  readonly #open = new Set<unknown>();
  readonly #file: string;
  /** Whether `<<` is a merge key, as in YAML 1.1, or a key like any other. */
  readonly #merges: boolean;
  #expansions = 0;

  constructor(document: Document.Parsed, { file, merges }: { readonly file: string; readonly merges: boolean }) {
    this.#merges = merges;
    this.#file = file;
    const anchors = new Map<string, unknown>();
    visit(document, {
      Node: (_, node) => {
        if (isAlias(node)) this.#targets.set(node, anchors.get(node.source));
        else if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  /** The node an alias means; any other node is itself. */
  follow(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }

  /** Counts what the file is expanded to. `FettleError('config')` beyond any measure. */
  spend(count: number): void {
    this.#expansions += count;
    if (this.#expansions <= mostExpansions) return;
    throw new FettleError('config', `${this.#file} expands to more than ${mostExpansions} entries`, {
      hint: 'its ranges, aliases or merge keys multiply: use fewer of them',
    });
  }

  /** The pairs of a mapping, merge keys (`<<`) laid under its own keys; of a duplicate the last. Read once for each. */
  entriesOf(map: YAMLMap): readonly Entry[] {
    const known = this.#entries.get(map);
    if (known !== undefined) return known;
    // A mapping that merges itself adds nothing to itself.
    if (this.#open.has(map)) return [];
    this.#open.add(map);
    try {
      const entries = [...this.#merged(map).values()];
      this.spend(entries.length);
      this.#entries.set(map, entries);
      return entries;
    } finally {
      this.#open.delete(map);
    }
  }

  /** What is merged first, the first of several sources last and so on top; a key keeps the place where it came first. */
  #merged(map: YAMLMap): Map<unknown, Entry> {
    const merged = new Map<unknown, Entry>();
    const own: Entry[] = [];
    for (const pair of map.items) {
      if (!isScalar(pair.key)) continue;
      if (!this.#merges || !isMergeKey(pair.key)) own.push({ key: pair.key, value: this.follow(pair.value) });
      else
        for (const source of this.#mergeSources(pair).toReversed()) {
          const entries = this.entriesOf(source);
          this.spend(entries.length);
          for (const entry of entries) merged.set(entry.key.value, entry);
        }
    }
    for (const entry of own) merged.set(entry.key.value, entry);
    return merged;
  }

  #mergeSources(pair: Pair): YAMLMap[] {
    const value = this.follow(pair.value);
    if (isMap(value)) return [value];
    if (!isSeq(value)) return [];
    return value.items.map((item) => this.follow(item)).filter((item) => isMap(item));
  }

  /** The value without its nodes; every key is a property of its own, `__proto__` too. A `RangeError` for what holds itself. */
  plain(node: unknown): unknown {
    const meant = this.follow(node);
    if (meant === null || meant === undefined) return null;
    if (isScalar(meant)) return meant.value;
    if (this.#open.has(meant)) throw new RangeError('it contains itself');
    this.#open.add(meant);
    try {
      this.spend(1);
      if (meant instanceof YAMLMap && meant.constructor === YAMLMap) return this.#plainMap(meant);
      // `!!set` is a list of its keys; `!!omap` and `!!pairs` are lists of pairs.
      if (isMap(meant)) return meant.items.map(({ key }) => this.#item(key));
      return isSeq(meant) ? meant.items.map((item) => (isPair(item) ? this.#pair(item) : this.#item(item))) : meant;
    } finally {
      this.#open.delete(meant);
    }
  }

  #item(node: unknown): unknown {
    this.spend(1);
    return this.plain(node);
  }

  #pair({ key, value }: Pair): readonly unknown[] {
    return [this.#item(key), this.#item(value)];
  }

  #plainMap(map: YAMLMap): Record<string, unknown> {
    const hasMerge = this.#merges && map.items.some(({ key }) => isScalar(key) && isMergeKey(key));
    if (!hasMerge) {
      return Object.fromEntries(map.items.map(({ key, value }) => [keyText(this.plain(key)), this.#item(value)]));
    }
    this.#open.delete(map);
    const entries = this.entriesOf(map);
    this.#open.add(map);
    return Object.fromEntries(entries.map(({ key, value }) => [keyText(key.value), this.#item(value)]));
  }
}

function keyText(key: unknown): string {
  return typeof key === 'object' && key !== null ? JSON.stringify(key) : String(key);
}

export function isMergeKey(key: Scalar): boolean {
  return key.source === '<<' && key.type === 'PLAIN';
}
