import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

// Builds the product once more, with its ports replaced by faulty ones, and runs it.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Which exports of which modules are replaced, and by what. */
const REPLACED: Readonly<Record<string, readonly [ports: string, names: readonly string[]]>> = {
  'contracts/rpc.ts': ['faulty-coordinator-ports', ['connectRpc']],
  'coordinator/blobs/file-blob-store.ts': ['faulty-coordinator-ports', ['createFileBlobStore']],
  'coordinator/blobs/upload-store.ts': ['faulty-coordinator-ports', ['createUploadStore']],
  'coordinator/runner.ts': ['faulty-coordinator-ports', ['startJobRunner']],
  'coordinator/stores/lmdb-store.ts': ['faulty-coordinator-ports', ['openLmdbStores']],
  'coordinator/transports/control-handlers.ts': ['faulty-coordinator-ports', ['createControlHandlers']],
  'client/journal/file-journal.ts': ['faulty-client-ports', ['createFileJournal']],
  'client/transports/http-bulk.ts': ['faulty-client-ports', ['createHttpBulk']],
  'client/transports/socket-control.ts': ['faulty-client-ports', ['createSocketControl']],
};
const SIDES: Readonly<Record<string, string>> = {
  'coordinator-child.ts': 'faulty-coordinator-ports',
  'client-child.ts': 'faulty-client-ports',
};

/** One of the two programs under test, built. */
export interface Program {
  /** Runs it; its standard output is read line by line. */
  start(argument: unknown, faults?: Readonly<Record<string, string>>): Life;
  /** Removes what was built. */
  remove(): Promise<void>;
}

/** One run of a program, from start to end. */
export interface Life {
  readonly child: ChildProcess;
  /** Resolves when it has printed this line; rejects when it ends before. */
  said(line: string): Promise<void>;
  /** Resolves when it has ended, with the signal that ended it or the exit code. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  /** Resolves when these words are in what it tells on standard error. */
  told(words: string): Promise<void>;
  /** What it told on standard error, for a test that fails. */
  log(): string;
}

/** Transpiles the product and puts faulty ports into one of its programs. */
export async function buildProgram(entry: 'coordinator-child.ts' | 'client-child.ts'): Promise<Program> {
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const target = await mkdtemp(join(cache, 'fedanchor-crash-'));
  await writeFile(join(target, 'package.json'), '{"type":"module"}');
  for (const folder of ['shared', 'contracts', 'coordinator', 'client', 'test/crash']) {
    for (const file of await readdir(join(ROOT, folder), { recursive: true })) {
      const path = join(folder, file);
      if (path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/assembly/'))
        await emit(path, target, SIDES[entry] as string);
    }
  }
  const kernels = join('shared', 'aggregation', 'kernels', 'build');
  await cp(join(ROOT, kernels), join(target, kernels), { recursive: true });
  const main = join(target, 'test', 'crash', entry.replace(/\.ts$/, '.js'));
  return {
    start: (argument, faults = {}) => run(main, argument, faults),
    remove: () => rm(target, { recursive: true, force: true }),
  };
}

async function emit(path: string, target: string, side: string): Promise<void> {
  const { outputText } = typescript.transpileModule(await readFile(join(ROOT, path), 'utf8'), {
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const out = join(target, path.replace(/\.ts$/, '.js'));
  await mkdir(dirname(out), { recursive: true });
  const replacement = REPLACED[path];
  if (replacement?.[0] !== side) {
    // The faulty ports reach the real ones by another name.
    const isPorts = path === `test/crash/${side}.ts`;
    const aside = (text: string): string =>
      text.replace(/from ['"](\.[^'"]+)\.js['"]/g, (whole, specifier: string) => {
        const imported = relative(target, join(dirname(out), `${specifier}.ts`));
        return REPLACED[imported]?.[0] === side ? `from '${specifier}.real.js'` : whole;
      });
    await writeFile(out, isPorts ? aside(outputText) : outputText);
    return;
  }
  await writeFile(out.replace(/\.js$/, '.real.js'), outputText);
  const real = `./${relative(dirname(out), out).replace(/\.js$/, '.real.js')}`;
  const ports = relative(dirname(out), join(target, 'test', 'crash', `${side}.js`));
  await writeFile(out, `export * from '${real}';\nexport { ${replacement[1].join(', ')} } from '${ports}';\n`);
}

function run(main: string, argument: unknown, faults: Readonly<Record<string, string>>): Life {
  const child = spawn(process.execPath, [main, JSON.stringify(argument)], { env: { ...process.env, ...faults } });
  let said = '';
  let log = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    for (const listener of listeners) listener();
  });
  // What it said is complete only once its output has closed, too.
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as NodeJS.Signals | number | null);
  const until = (what: string, isSo: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isSo()) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      void ended.then((how) => reject(new Error(`it ended (${how}) before it said "${what}":\n${log}`)));
    });
  return {
    child,
    ended,
    log: () => log,
    said: (line) => until(line, () => said.split('\n').slice(0, -1).includes(line)),
    told: (words) => until(words, () => log.includes(words)),
  };
}

/** A port that is free now, for a program that is to be found there again after each of its restarts. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return (address as { port: number }).port;
}
