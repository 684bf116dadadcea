import { type Command, InvalidArgumentError } from 'commander';
import { connectRegistry } from '../../contracts/ledger/registry.ts';
import { listJobs, listModels } from '../../contracts/ledger/registry-listing.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type PlaceOptions, placeOf } from './open-registry.ts';
import { RegistryError } from './registry-error.ts';
import {
  buyLicence,
  claimDataset,
  publishModel,
  releaseBond,
  sealDataset,
  setPrice,
  type Told,
} from './registry-moves.ts';

interface Options extends PlaceOptions {
  readonly rpc: readonly string[];
  readonly keyFile?: string;
  readonly json: boolean;
}

/** Adds `fedanchor registry …` to the command line. */
export function registerRegistryCommands(program: Command): void {
  const registry = program.command('registry').description('find and publish jobs, models, licences and data sets');
  withPlace(registry.command('list').description('list the jobs that were registered')).action((options: Options) =>
    list(options),
  );
  withPlace(registry.command('models').description('list the models that were published')).action((options: Options) =>
    models(options),
  );
  withPlace(registry.command('show').description('show one entry'))
    .argument('<what>', "a job's RoundAnchor or identifier, or a model's identifier", parseEntry)
    .action((what: Hex, options: Options) => show(what, options));
  withKey(registry.command('publish').description('publish the model of a final round of a job that you own'))
    .requiredOption('--job <address>', "the job's RoundAnchor", parseAddress)
    .requiredOption('--round <number>', 'the round', parseCount)
    .option('--parent <model>', 'the published model that it continues', parseHash)
    .action((options: Options & { readonly job: Hex; readonly round: number; readonly parent?: Hex }) =>
      said(options, publishModel(options)),
    );
  withKey(registry.command('price').description('say what a licence for a model of yours costs; 0: none is sold'))
    .requiredOption('--model <id>', 'the model', parseHash)
    .requiredOption('--price <amount>', "in the smallest unit of the job's token", parseAmount)
    .action((options: Options & { readonly model: Hex; readonly price: bigint }) => said(options, setPrice(options)));
  withKey(registry.command('buy').description('buy a licence for a model'))
    .requiredOption('--model <id>', 'the model', parseHash)
    .option('--holder <address>', 'who may use it (default: you)', parseAddress)
    .requiredOption('--most <amount>', 'what it may cost at most', parseAmount)
    .action((options: Options & { readonly model: Hex; readonly holder?: Hex; readonly most: bigint }) =>
      said(options, buyLicence(options)),
    );
  withPlace(registry.command('licence').description('whether an account has a licence for a model'))
    .requiredOption('--model <id>', 'the model', parseHash)
    .requiredOption('--account <address>', 'the account', parseAddress)
    .action((options: Options & { readonly model: Hex; readonly account: Hex }) => licence(options));
  withKey(registry.command('release').description('return the bond of a job that has ended to its owner'))
    .requiredOption('--job <address>', "the job's RoundAnchor", parseAddress)
    .action((options: Options & { readonly job: Hex }) => said(options, releaseBond(options)));
  const dataset = registry.command('dataset').description('data sets: who knew one first');
  withKey(dataset.command('seal').description('date a data set without telling what it is'))
    .requiredOption('--dataset <hash>', "its commitment, as the client's log names it", parseHash)
    .requiredOption('--salt-file <file>', 'written if it is not there: keep it, nobody can claim without it')
    .action((options: Options & { readonly dataset: Hex; readonly saltFile: string }) =>
      said(options, sealDataset(options)),
    );
  withKey(dataset.command('claim').description('tell what you have sealed'))
    .requiredOption('--dataset <hash>', 'its commitment', parseHash)
    .requiredOption('--salt-file <file>', 'the file that sealing it wrote')
    .action((options: Options & { readonly dataset: Hex; readonly saltFile: string }) =>
      said(options, claimDataset(options)),
    );
  withPlace(dataset.command('show').description('whose a data set is'))
    .argument('<hash>', 'its commitment', parseHash)
    .action((hash: Hex, options: Options) => owner(hash, options));
}

function withPlace(command: Command): Command {
  return command
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .option('--registry <address>', 'address of the Registry', parseAddress)
    .option('--deployment <file>', 'or the file that "fedanchor deploy" wrote')
    .option('--from-block <number>', "first block to look at (default: the deployment's, else 0)", parseCount)
    .option('--json', 'print JSON', false);
}

function withKey(command: Command): Command {
  return withPlace(command).option(
    '--key-file <file>',
    'your key: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE)',
  );
}

async function list(options: Options): Promise<void> {
  const rpc = connectRpc({ urls: options.rpc });
  const place = await placeOf(options);
  const registry = await connectRegistry({ rpc, registry: place.registry });
  const { entries } = await listJobs({ rpc, ...place });
  const jobs = await Promise.all(entries.map(async (entry) => ({ ...(await registry.job(entry.id)), ...entry })));
  const lines = jobs.map(({ anchor, pricePerRound, owner, announcement }) =>
    [anchor, `${pricePerRound} a round`, `owner ${owner}`, announcement?.coordinatorUrl ?? 'no address is said'].join(
      '  ',
    ),
  );
  tell(options, { document: { registry: place.registry, jobs }, lines: orNothing(lines, 'no job is registered') });
}

async function models(options: Options): Promise<void> {
  const rpc = connectRpc({ urls: options.rpc });
  const place = await placeOf(options);
  const registry = await connectRegistry({ rpc, registry: place.registry });
  const { entries } = await listModels({ rpc, ...place });
  const found = await Promise.all(entries.map(async (entry) => ({ ...(await registry.model(entry.model)), ...entry })));
  const lines = found.map(
    ({ model, round, modelRoot, price }) => `${model}  round ${round}, root ${modelRoot}, ${priceOf(price ?? 0n)}`,
  );
  tell(options, { document: { models: found }, lines: orNothing(lines, 'no model is published') });
}

async function show(what: Hex, options: Options): Promise<void> {
  const rpc = connectRpc({ urls: options.rpc });
  const { registry: address } = await placeOf(options);
  const registry = await connectRegistry({ rpc, registry: address });
  const job = what.length === 42 ? await registry.jobOf(what) : await registry.job(what);
  const model = job === undefined && what.length === 66 ? await registry.model(what) : undefined;
  const entry = job ?? model;
  if (entry === undefined) throw unknown(what, address);
  const lines = Object.entries(entry).map(([name, value]) => `${name.padEnd(14)} ${value}`);
  tell(options, { document: entry, lines });
}

async function licence(options: Options & { readonly model: Hex; readonly account: Hex }): Promise<void> {
  const { model, account } = options;
  const { registry } = await placeOf(options);
  const connected = await connectRegistry({ rpc: connectRpc({ urls: options.rpc }), registry });
  const isLicensed = await connected.isLicensed(model, account);
  const words = `${account} ${isLicensed ? 'has a' : 'has no'} licence for ${model}`;
  tell(options, { document: { model, account, isLicensed }, lines: [words] });
}

async function owner(dataset: Hex, options: Options): Promise<void> {
  const { registry } = await placeOf(options);
  const connected = await connectRegistry({ rpc: connectRpc({ urls: options.rpc }), registry });
  const found = await connected.datasetOf(dataset);
  const words =
    found === undefined
      ? `nobody has claimed ${dataset}`
      : `${dataset} is ${found.account}'s, sealed ${new Date(found.sinceS * 1000).toISOString()}`;
  tell(options, { document: { dataset, ...(found ?? { account: null }) }, lines: [words] });
}

async function said(options: Options, work: Promise<Told>): Promise<void> {
  tell(options, await work);
}

function tell({ json }: Options, { document, lines }: Told): void {
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  process.stdout.write(json ? `${JSON.stringify(document, plain, 2)}\n` : lines.map((line) => `${line}\n`).join(''));
}

function orNothing(lines: readonly string[], nothing: string): readonly string[] {
  return lines.length === 0 ? [nothing] : lines;
}

function priceOf(price: bigint): string {
  return price === 0n ? 'not for sale' : `a licence costs ${price}`;
}

function unknown(what: Hex, registry: Hex): RegistryError {
  const message = `the registry ${registry} knows no job or model ${what}: "fedanchor registry list" tells what there is`;
  return new RegistryError('registry/unknown', message, { what, registry });
}

function parseEntry(text: string): Hex {
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? parseAddress(text) : parseHash(text);
}

function parseAddress(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected an address: 0x and 40 hexadecimal digits');
}

function parseHash(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected 32 bytes: 0x and 64 hexadecimal digits');
}

function parseCount(text: string): number {
  if (/^[0-9]{1,12}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 0');
}

function parseAmount(text: string): bigint {
  if (/^(0|[1-9][0-9]{0,28})$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("expected a whole number in the token's smallest unit");
}
