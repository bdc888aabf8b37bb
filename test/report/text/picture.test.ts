import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Picture } from '../../../src/report/text/picture.ts';
import { Screen } from '../../support/screen.ts';

/** A stream that a screen shows, with what is typed echoed where the cursor stands, as tty(4) does. */
class Tty extends Writable {
  readonly isTTY = true;
  columns: number;
  readonly screen: Screen;

  constructor(size: { readonly columns: number; readonly rows: number }) {
    super();
    this.columns = size.columns;
    this.screen = new Screen(size);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.screen.write(chunk.toString('utf8'));
    done();
  }

  async type(keys: string): Promise<void> {
    await this.settled();
    this.screen.write(keys.replaceAll('\r', '\r\n'));
  }

  settled(): Promise<void> {
    return new Promise((resolve) => this.write('', () => resolve()));
  }

  async lines(): Promise<string[]> {
    await this.settled();
    return this.screen.lines();
  }
}

const before = ['$ fettle apply plan.json', 'wave 1 begins'];
const frame = (second: number): string => `apply · ${second}s\n1 verified\nweb02 install\nweb03 reboot`;

async function open(size = { columns: 40, rows: 6 }): Promise<{ tty: Tty; picture: Picture }> {
  const tty = new Tty(size);
  tty.write(`${before.join('\n')}\n`);
  const picture = new Picture(tty);
  picture.draw(frame(1));
  assert.deepEqual(await tty.lines(), [...before, ...frame(1).split('\n')]);
  return { tty, picture };
}

test('what is typed leaves no line of a picture behind, also at the bottom of the screen', async () => {
  for (const keys of ['\r', '\r\r\r', 'ls -l\r', '^C', 'x'.repeat(70)]) {
    const { tty, picture } = await open();
    for (let second = 2; second < 6; second += 1) {
      await tty.type(keys);
      picture.draw(frame(second));
      assert.deepEqual(await tty.lines(), [...before, ...frame(second).split('\n')], keys);
    }
    await tty.type(keys);
    picture.clear();
    tty.write('done\n');
    assert.deepEqual(await tty.lines(), [...before, 'done'], keys);
  }
});

test('an Enter between two equal pictures does not add up', async () => {
  const { tty, picture } = await open();
  for (let count = 0; count < 20; count += 1) {
    await tty.type('\r');
    picture.draw(frame(1));
  }
  assert.deepEqual(await tty.lines(), [...before, ...frame(1).split('\n')]);
});

test('a picture that grows and shrinks, and messages in the middle of it, keep what stands above', async () => {
  const { tty, picture } = await open();
  const kept = [...before];
  for (let count = 1; count < 12; count += 1) {
    const lines = Array.from({ length: 1 + (count % 5) }, (_, index) => `line ${index} of ${count}`);
    picture.draw(lines.join('\n'));
    assert.deepEqual(await tty.lines(), [...kept, ...lines]);
    if (count % 3 !== 0) continue;
    picture.clear();
    tty.write(`message ${count}\n`);
    kept.push(`message ${count}`);
  }
  picture.clear();
  assert.deepEqual(await tty.lines(), kept);
});

test('a character that is wider than it was taken for moves no line', async () => {
  const { tty, picture } = await open({ columns: 30, rows: 8 });
  for (const text of ['設'.repeat(20), 'x'.repeat(50)]) {
    for (const end of ['second', 'third']) picture.draw(`${text}\n${end}`);
    const lines = await tty.lines();
    assert.equal(lines.length, before.length + 2);
    assert.equal(lines.at(-1), 'third');
  }
});

test('after others wrote on the screen the picture begins below them', async () => {
  const { tty, picture } = await open({ columns: 40, rows: 12 });
  await tty.type('^Z\r[1]+  Stopped\r$ fg\rfettle apply plan.json\r');
  picture.forget();
  picture.draw(frame(9));
  const lines = await tty.lines();
  assert.deepEqual(lines.slice(-5), ['fettle apply plan.json', ...frame(9).split('\n')]);
});
