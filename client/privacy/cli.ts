import { type Command, InvalidArgumentError } from 'commander';
import { epsilonOf, noiseWithin, rhoOfUpdate } from './accountant.ts';

interface PlanOptions {
  readonly updates: number;
  readonly delta: number;
  readonly epsilon?: number;
  readonly noise?: number;
  readonly json: boolean;
}

/** Adds `privacy` to `fedanchor client`. */
export function registerPrivacyCommand(client: Command): void {
  client
    .command('privacy')
    .description('what noise a privacy budget needs, or what noise costs')
    .requiredOption('--updates <number>', 'updates to be sent, those of retried attempts included', parseCount)
    .requiredOption('--delta <number>', 'the chance that the guarantee leaves out', parsePositive)
    .option('--epsilon <number>', 'the budget for all updates: prints the noise', parsePositive)
    .option('--noise <number>', 'noise as a multiple of the clip: prints epsilon', parsePositive)
    .option('--json', 'print JSON', false)
    .action((options: PlanOptions, command: Command) => {
      if ((options.epsilon === undefined) === (options.noise === undefined)) {
        command.error('error: give either --epsilon or --noise');
      }
      process.stdout.write(`${describe(options)}\n`);
    });
}

function describe({ updates, delta, json, ...given }: PlanOptions): string {
  // Rounded up: a noise that is told with fewer digits must not be less.
  const noise = given.noise ?? Math.ceil(1e4 * noiseWithin(given.epsilon as number, delta, updates)) / 1e4;
  const epsilon = epsilonOf(updates * rhoOfUpdate(1, noise), delta);
  if (json) return JSON.stringify({ updates, delta, noise, epsilon });
  return `noise ${noise} times the clip: epsilon ${epsilon.toFixed(4)} at delta ${delta} for ${updates} updates`;
}

function parseCount(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('expected a number above 0');
}
