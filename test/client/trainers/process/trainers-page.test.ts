import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { childEnvironment } from '../../../../client/trainers/process/child-environment.ts';
import { splitCommand } from '../../../../client/trainers/process/command-line.ts';
import { readMessage, TRAINER_PROTOCOL } from '../../../../client/trainers/process/messages.ts';
import { type Lab, openLab } from './lab.ts';
import { EXAMPLES, pythonWith, startPython, trainRounds } from './python.ts';

const file = (path: string) => readFile(fileURLToPath(new URL(`../../../../${path}`, import.meta.url)), 'utf8');
const python = pythonWith('array');

let page: string;
let lab: Lab;
beforeAll(async () => {
  page = await file('docs/trainers.md');
});
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  expect(await lab.close()).toEqual([]);
});

const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);

describe('docs/trainers.md', () => {
  it('lists every code, and no other', async () => {
    const source = await file('client/trainers/process/process-error.ts');
    const codes = (text: string) => [...new Set(text.match(/trainer\/process-[a-z-]+/g))].sort();
    const table = page.split('\n').filter((line) => line.startsWith('| `trainer/process-'));
    expect(codes(table.join('\n'))).toEqual(codes(source));
    expect(table).toHaveLength(codes(source).length);
  });

  it('shows messages that the client understands', () => {
    const said = blocks('json').flatMap((text) => text.trim().split('\n'));
    expect(said).toHaveLength(10);
    const full = said.map((line) => line.replaceAll('0x…', `0x${'ab'.repeat(32)}`));
    const answers = full.filter((line) => !/"type":"(train|evaluate|cancel)"|"protocols"/.test(line));
    expect(answers.map((line) => readMessage(line).type)).toEqual([
      ...['hello', 'progress', 'update', 'evaluation', 'cancelled', 'error'],
    ]);
    for (const line of full) expect(() => JSON.parse(line)).not.toThrow();
    expect(page).toContain(`## The protocol, version ${TRAINER_PROTOCOL}`);
  });

  it('names what a command may not hold, and what is passed on', () => {
    const [, syntax = ''] = /unquoted \(`([^`]*)` and the backquote\)/.exec(page) ?? [];
    for (const character of [...syntax.split(' '), '`']) {
      expect(() => splitCommand(`train ${character}`)).toThrow('no shell reads it');
    }
    const row = page.split('\n').find((line) => line.startsWith('| environment')) ?? '';
    const names = [...row.matchAll(/`([A-Z_*]+)`/g)].map(([, name = '']) => name.replace('*', 'ALL'));
    const set = Object.fromEntries(names.map((name) => [name, 'set']));
    const passed = Object.keys(childEnvironment({ ...set, OTHER: 'set' }, [], '/folder', 'mark'));
    const own = ['TMPDIR', 'FEDANCHOR_TRAINER_DIR', 'FEDANCHOR_TRAINER_MARK'];
    expect(passed.sort()).toEqual([...names.filter((name) => !name.startsWith('FEDANCHOR_')), ...own].sort());
  });

  it.skipIf(python === undefined)('gives a trainer in 30 lines that learns', async () => {
    const [text = ''] = blocks('python');
    expect(text.trim().split('\n').length).toBeLessThan(32);
    const program = join(lab.folder, 'mean.py');
    await writeFile(program, `import sys\nsys.path.insert(0, ${JSON.stringify(EXAMPLES)})\n${text}`);
    const numbers = join(lab.folder, 'numbers');
    await writeFile(numbers, '2\n4\n3\n');
    const tensors = [{ name: 'mean', shape: [1], values: Float32Array.of(0) }];
    const trainer = await startPython(lab, python as string, program, tensors, {}, [numbers]);
    const [mean] = await trainRounds(trainer, [Float32Array.of(0)], 10);
    expect(mean?.[0]).toBeCloseTo(3, 1);
    expect(await trainer.evaluate([mean as Float32Array])).toMatchObject({ correct: 1, total: 3 });
    expect(trainer.datasetCommitment).toMatch(/^0x(?!0{64})/);
  });
});
