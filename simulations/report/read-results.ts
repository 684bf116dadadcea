import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Experiment, ResultLine } from '../experiment/experiment.ts';
import { ReportError } from './report-error.ts';

const count = z.number().int().nonnegative();
const amount = z.string().regex(/^[0-9]+$/);
const share = z.number().min(0).max(1);

const totals = z.object({
  clients: count,
  updates: count,
  weight: z.number().nullable(),
  earned: amount,
  activeRounds: count,
});

const point = z.object({
  round: count,
  accuracy: share,
  loss: z.number().nullable(),
  trainLoss: z.number().nullable(),
  backdoor: share.optional(),
  bytesUp: count,
  bytesDown: count,
  seconds: z.number().nullable(),
});

const line = z.object({
  id: z.string().min(1),
  cell: z.object({
    rule: z.string(),
    attack: z.string(),
    f: count,
    n: count,
    partition: z.string(),
    seed: count,
  }),
  // A spec was validated whole before it was run; here are the parts that a report reckons with.
  spec: z.looseObject({
    rounds: count,
    attack: z.looseObject({ name: z.string() }).nullable(),
    economics: z.object({ pot: z.string(), stake: z.string(), costPerClientRound: z.number() }),
  }),
  result: z.object({
    outcome: z.enum(['finished', 'diverged', 'failed']),
    reason: z.object({ code: z.string(), message: z.string() }).optional(),
    curve: z.array(point),
    finalAccuracy: share,
    bestAccuracy: share,
    kinds: z.object({ honest: totals, byzantine: totals }),
    earnedByClient: z.array(amount),
    byzantineWeight: z.array(z.number().nullable()),
    traffic: z
      .object({ atDeadline: count, late: count, dropped: count, attempts: count, meanStaleness: z.number() })
      .nullable(),
    modelHash: z.string(),
    headHash: z.string().nullable(),
    dataHash: z.string(),
  }),
});

/**
 * Reads the lines of `results.ndjson`, in the order of the grid whatever theirs was.
 *
 * @throws ReportError `report/bad-line`, `report/unknown-run` or `report/run-twice` where the file is not the results of
 * this experiment; `report/no-results` where it has none
 */
export async function readResults(file: string, experiment: Pick<Experiment, 'runs'>): Promise<ResultLine[]> {
  const place = new Map(experiment.runs.map(({ id }, index) => [id, index]));
  const found = new Map<string, ResultLine>();
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text === '') continue;
    const read = readLine(text, number);
    if (!place.has(read.id)) {
      throw new ReportError(
        'report/unknown-run',
        `line ${number} of the results is run ${read.id}, which this experiment does not have: use the folder that it was run in`,
        { line: number, id: read.id },
      );
    }
    if (found.has(read.id)) {
      throw new ReportError(
        'report/run-twice',
        `line ${number} of the results repeats run ${read.id}: keep one of them`,
        {
          line: number,
          id: read.id,
        },
      );
    }
    found.set(read.id, read);
  }
  if (found.size === 0) {
    throw new ReportError('report/no-results', 'the results have no run yet: run the experiment first', {});
  }
  return [...found.values()].sort((a, b) => (place.get(a.id) as number) - (place.get(b.id) as number));
}

function readLine(text: string, number: number): ResultLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new ReportError('report/bad-line', `line ${number} of the results is not JSON`, { line: number }, cause);
  }
  const { data, error } = line.safeParse(parsed);
  if (data !== undefined) return data as unknown as ResultLine;
  const issue = error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new ReportError(
    'report/bad-line',
    `line ${number} of the results: ${field}: ${issue?.message}: run that run again`,
    { line: number, field },
  );
}
