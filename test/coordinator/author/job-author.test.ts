import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskWorkbench } from '../../../client/author/cli.ts';
import { createManifestTrainer } from '../../../client/tasks/manifest-trainer.ts';
import { checkJob } from '../../../coordinator/author/check-job.ts';
import { registerAuthorCommands } from '../../../coordinator/author/cli.ts';
import type { FindingCode } from '../../../coordinator/author/finding.ts';
import { initJob } from '../../../coordinator/author/init-job.ts';
import { TEMPLATES, type TemplateName } from '../../../coordinator/author/job-templates.ts';
import { readJobDraft } from '../../../coordinator/config/job-draft.ts';
import { prepareJob } from '../../../coordinator/job-folder.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../shared/safetensors.ts';
import { runCommand } from '../cli/run-command.ts';

const INPUTS = { text: [16, 97], image: [28, 28, 1], tabular: [4] } as const;
const OUTPUTS = { text: { classes: 97 }, image: { classes: 10 }, tabular: { classes: 3 } } as const;

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'fedanchor-author-'));
  for (const template of TEMPLATES) {
    await initJob(join(root, template), template, { name: `a ${template} job`, seed: 1 }, taskWorkbench);
  }
});

afterAll(() => rm(root, { recursive: true, force: true }));

let copies = 0;

/** The tabular template with lines replaced, and what a check of it finds. */
async function checkWith(
  changes: Readonly<Record<string, string>>,
  { template = 'tabular' as TemplateName, files = {} as Readonly<Record<string, string | Uint8Array>> } = {},
) {
  copies += 1;
  const folder = join(root, `copy-${copies}`);
  await initJob(folder, template, { name: 'copy', seed: 1 }, taskWorkbench);
  const file = join(folder, 'job.toml');
  let text = await readFile(file, 'utf8');
  for (const [line, replacement] of Object.entries(changes)) {
    expect(text).toContain(line);
    text = text.replace(line, replacement);
  }
  await writeFile(file, text);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return checkJob(file, taskWorkbench);
}

const codes = ({ findings }: Awaited<ReturnType<typeof checkJob>>) => findings.map(({ code }) => code);

describe('fedanchor job init', () => {
  it.each(TEMPLATES)('%s: a job without a finding, which can be created as it is', async (template) => {
    const file = join(root, template, 'job.toml');
    const report = await checkJob(file, taskWorkbench);
    expect(report).toMatchObject({ isSound: true, findings: [] });
    const { manifest, model } = await readJobDraft(file);
    const { terms } = prepareJob(join(root, 'coordinator'), manifest, model);
    expect(terms.manifest.name).toBe(`a ${template} job`);
    expect(report.facts).toMatchObject({
      parameters: terms.layout.parameters,
      updateBytes: terms.layout.dimension * 2,
    });
    // Every line that is not a comment says something that the file's reader takes.
    expect((await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('#')).length).toBeGreaterThan(
      20,
    );
  });

  it.each(['text', 'image', 'tabular'] as const)('%s: a job that a client can train in', async (template) => {
    const { manifest } = await readJobDraft(join(root, template, 'job.toml'));
    const { task, tensors } = manifest;
    const inputShape: readonly number[] = INPUTS[template];
    const { classes } = OUTPUTS[template];
    const examples = (count: number) => ({
      inputs: Float32Array.from({ length: count * inputShape.reduce((a, b) => a * b) }, (_, at) => (at % 7) / 7),
      labels: Int32Array.from({ length: count }, (_, at) => at % classes),
    });
    const trainer = await createManifestTrainer(
      { task: { ...task, training: { ...(task.training as object), batchSize: 4 } }, tensors },
      {
        ...{ inputShape, classes, samples: 8, heldOutSamples: 4, mostFrequentClass: 0 },
        ...{ sample: (_, count) => examples(count), examples: ({ length }) => examples(length) },
        heldOut: (_, count) => examples(count),
      },
      { backend: 'wasm' },
    );
    const weights = decodeSafetensors(new Uint8Array(await readFile(join(root, template, 'start.safetensors'))));
    const { update, loss } = await trainer.train({ weights: weights.map(({ values }) => values), seed: 1, round: 1 });
    expect(Number.isFinite(loss)).toBe(true);
    // Every tensor has learnt something.
    for (const values of update) expect(values.some((value) => value !== 0)).toBe(true);
    trainer.dispose();
  });

  it('replaces nothing', async () => {
    const again = initJob(join(root, 'text'), 'text', { name: 'again', seed: 2 }, taskWorkbench);
    await expect(again).rejects.toMatchObject({ code: 'config/exists' });
  });
});

describe('fedanchor job check', () => {
  it('tells every field that is wrong at once, with the nearest name', async () => {
    const report = await checkWith({
      'rounds = 20': 'rounds = 0',
      'quorum = 4': 'quorom = 4',
      'score = "confirmation"': 'score = "confirmed"',
      'windowTicks = 225': 'windowTick = 225',
    });
    expect(report.isSound).toBe(false);
    expect(new Set(codes(report))).toEqual(new Set(['file/invalid']));
    const fields = report.findings.map(({ field }) => field);
    for (const field of [
      'rounds',
      'participation.quorum',
      'participation.quorom',
      'rewards.score',
      'chain.windowTick',
    ]) {
      expect(fields).toContain(field);
    }
    const typo = report.findings.find(({ field }) => field === 'participation.quorom');
    expect(typo?.message).toContain('quorum');
  });

  const ADDRESS = `0x${'12'.repeat(20)}`;
  it.each<[FindingCode, string, Record<string, string>, TemplateName?]>([
    ['task/invalid', 'task.training', { 'optimizer = "adam"': 'optimizer = "adamw"' }],
    ['task/invalid', 'task.data.label', { 'label = "risk"': '' }],
    ['task/invalid', 'task.data.scale.mean', { 'mean = [40, 50000, 1000, 3]': 'mean = [40, 50000]' }],
    ['task/invalid', 'task.kind', { 'kind = "classification"': 'kind = "regression"' }],
    ['task/invalid', 'task.architecture', { 'inputShape = [28, 28, 1]': 'inputShape = [32, 32, 3]' }, 'image'],
    ['task/invalid', 'task.architecture', { 'classes = 10': 'classes = 100' }, 'image'],
    ['task/invalid', 'task.architecture', { 'contextLength = 16': 'contextLength = 8' }, 'text'],
    ['model/unreadable', 'model', { 'model = "start.safetensors"': 'model = "none.safetensors"' }],
    ['rule/invalid', 'aggregation.rule', { 'rule = "TrMean"': 'rule = "TrimedMean"' }],
    ['rule/out-of-bounds', 'aggregation.rule', { 'f = 1': 'f = 2' }],
    ['participation/quorum-above-expected', 'participation.quorum', { 'quorum = 4': 'quorum = 6' }],
    [
      'participation/buffer-with-court',
      'participation.buffer',
      { 'retries = 10': 'retries = 10\nbuffer = { size = 4, maxStaleness = 3 }' },
    ],
    ['participation/list', 'participation.admission', { 'admission = "open"': `admission = ["${ADDRESS}"]` }],
    ['budget/too-large', 'rewards.pricePerRound', { '"1000000000000000000"': `"1${'0'.repeat(28)}"` }],
    ['court/invalid', 'court.slashAmount', { '[court]': '[court]\nslashAmount = "1"' }],
    ['court/invalid', 'court.longestRoundS', { '[court]': '[court]\nlongestRoundS = 60' }],
    ['court/invalid', 'contracts.arbiter', { 'endsInDays = 365': `endsInDays = 365\narbiter = "${ADDRESS}"` }],
    ['time/ends-too-early', 'contracts.endsInDays', { 'endsInDays = 365': 'endsInDays = 0.03' }],
    ['bits/too-coarse', 'initialUpdateBits', { 'learningRate = 0.3': 'learningRate = 0.0000001' }, 'text'],
  ])('%s in %s is an error', async (code, field, changes, template) => {
    const report = await checkWith(changes, template === undefined ? {} : { template });
    expect(report.isSound).toBe(false);
    expect(report.findings).toContainEqual(expect.objectContaining({ severity: 'error', code, field }));
  });

  it.each<[FindingCode, string, Record<string, string>]>([
    ['rule/no-faults', 'aggregation.rule.f', { 'f = 1': 'f = 0' }],
    ['rule/not-settled', 'aggregation.rule', { 'rule = "TrMean"': 'rule = "GeometricMedian"' }],
    [
      'score/too-few',
      'rewards.score',
      { 'quorum = 4': 'quorum = 2', 'f = 1': 'f = 0', 'expected = 5': 'expected = 2' },
    ],
    [
      'participation/sample-above-expected',
      'participation.sample.size',
      { 'retries = 10': 'retries = 10\nsample = { size = 6, extra = 0 }' },
    ],
    [
      'participation/buffer-waits-for-all',
      'participation.buffer.size',
      { 'retries = 10': 'retries = 10\nbuffer = { size = 5, maxStaleness = 3 }', '[court]': '' },
    ],
    ['budget/dust', 'rewards.pricePerRound', { '"1000000000000000000"': '"5"' }],
    ['budget/no-rewards', 'rewards.pricePerRound', { '"1000000000000000000"': '"0"', '[court]': '' }],
    ['time/ends-too-early', 'contracts.endsInDays', { 'endsInDays = 365': 'endsInDays = 0.1' }],
    ['time/short-window', 'chain.windowTicks', { 'windowTicks = 225': 'windowTicks = 3' }],
    ['time/short-retention', 'retentionS', { 'retentionS = 2592000': 'retentionS = 60' }],
    ['bits/too-fine', 'initialUpdateBits', { 'initialUpdateBits = 12': 'initialUpdateBits = 26' }],
  ])('%s in %s is a warning, and the job would work', async (code, field, changes) => {
    const report = await checkWith(changes);
    expect(report.findings).toContainEqual(expect.objectContaining({ severity: 'warning', code, field }));
    expect(report.isSound).toBe(true);
  });

  it('looks at the weights themselves', async () => {
    const model = decodeSafetensors(new Uint8Array(await readFile(join(root, 'tabular', 'start.safetensors'))));
    const with_ = (value: number) =>
      encodeSafetensors(
        model.map((tensor, index) => (index === 0 ? { ...tensor, values: tensor.values.map(() => value) } : tensor)),
      );
    const found = async (bytes: Uint8Array) => codes(await checkWith({}, { files: { 'start.safetensors': bytes } }));
    expect(await found(with_(200))).toContain('model/too-large');
    expect(await found(with_(Number.NaN))).toContain('model/not-finite');
    expect(await found(with_(100))).toContain('model/nearly-too-large');
    expect(await found(encodeSafetensors(model.slice(1)))).toEqual(['model/other-tensors']);
    expect(
      await found(encodeSafetensors([...model, { name: 'more', shape: [1], values: new Float32Array(1) }])),
    ).toEqual(['model/other-tensors']);
    const turned = model.map((tensor, index) =>
      index === 0 ? { ...tensor, shape: tensor.shape.toReversed() } : tensor,
    );
    expect(await found(encodeSafetensors(turned))).toEqual(['model/other-tensors']);
    const broken = await checkWith({}, { files: { 'start.safetensors': new Uint8Array(7), 'architecture.json': '{' } });
    expect(codes(broken)).toEqual(['model/unreadable', 'task/invalid']);
  });

  it('speaks to programs, compares with what is put in, and says by its exit code whether the job would work', async () => {
    const before = process.exitCode;
    const verb = async (...words: string[]) => {
      process.exitCode = 0;
      const printed = await runCommand((program) => registerAuthorCommands(program, taskWorkbench), ['job', ...words]);
      const code = process.exitCode;
      process.exitCode = before;
      return { printed, code };
    };
    const out = join(root, 'by command');
    expect((await verb('init', '--template', 'text', '--out', out, '--name', 'mine')).printed).toContain('job check');
    const enough = await verb('check', out, '--json', '--funding', '20000000000000000000');
    expect(enough.code).toBe(0);
    const report = JSON.parse(enough.printed);
    expect(report).toMatchObject({
      isSound: true,
      findings: [],
      facts: { name: 'mine', mostRewards: '20000000000000000000' },
    });
    const scarce = await verb('check', join(out, 'job.toml'), '--funding', '19999999999999999999');
    expect(scarce.code).toBe(1);
    expect(scarce.printed).toContain('[budget/underfunded]');
    expect(scarce.printed).toContain('1 error, 0 warnings: it would not work');
    const missing = await verb('check', join(root, 'nowhere'), '--json');
    expect(missing.code).toBe(1);
    expect(JSON.parse(missing.printed).findings).toMatchObject([{ code: 'file/unreadable' }]);
    await writeFile(join(out, 'job.toml'), 'name = ');
    expect((await verb('check', out)).printed).toContain('line 1');
  });
});
