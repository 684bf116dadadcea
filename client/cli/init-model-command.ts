import type { Command } from 'commander';
import { type InitModelOptions, initModel } from '../init-model.ts';
import { parseSeed } from './parse.ts';

/** Adds `init-model` to `fedanchor client`. */
export function registerInitModelCommand(client: Command): void {
  client
    .command('init-model')
    .description('draw the weights that a job starts from')
    .requiredOption('--architecture <file>', 'the architecture as layers JSON')
    .option('--seed <number>', 'the same seed draws the same weights on every machine', parseSeed, 1)
    .option('--out <file>', 'file to write', 'model.safetensors')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...options }: InitModelOptions & { readonly json: boolean }) => {
      const parameters = await initModel(options);
      const { out, seed } = options;
      const told = json ? JSON.stringify({ file: out, parameters, seed }) : `${out}: ${parameters} parameters`;
      process.stdout.write(`${told}\n`);
    });
}
