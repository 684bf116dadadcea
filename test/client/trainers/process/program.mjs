// A trainer's program that does one thing wrong, or nothing: node program.mjs <what> [argument…]. It speaks the protocol
// by itself, so that what the client makes of it does not hang on the helper that comes with the product.
import { spawn } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [asked = 'nothing', ...rest] = process.argv.slice(2);
// "train:what" goes wrong where it trains alone.
const [what, onlyTo] = [asked.split(':').at(-1) ?? '', asked.includes(':') ? asked.split(':')[0] : undefined];
const folder = process.env['FEDANCHOR_TRAINER_DIR'] ?? '';
const once = rest[0];

/** @param {Record<string, unknown>} message */
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** Whether this start is to go wrong: where a file is named, only the first of all. */
const isWrong = () => {
  if (once === undefined) return true;
  if (existsSync(once)) return false;
  writeFileSync(once, '');
  return true;
};

/** @param {string} name @param {{ name: string, shape: number[], values: number[], dtype?: string }[]} tensors */
const write = (name, tensors) => {
  /** @type {Record<string, unknown>} */
  const header = {};
  let offset = 0;
  for (const { name: tensor, shape, values, dtype = 'F32' } of tensors) {
    header[tensor] = { dtype, shape, data_offsets: [offset, offset + 4 * values.length] };
    offset += 4 * values.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const values = tensors.map((tensor) => Buffer.from(Float32Array.from(tensor.values).buffer));
  writeFileSync(join(folder, name), Buffer.concat([length, json, ...values]));
};

/** @type {{ name: string, shape: number[] }[]} */
let schema = [];
/** @param {(size: number) => number[]} [fill] */
const zeros = (fill = (size) => Array(size).fill(0.5)) =>
  schema.map(({ name, shape }) => ({ name, shape, values: fill(shape.reduce((a, b) => a * b, 1)) }));

/** @type {Record<string, (request: any) => void>} */
const wrong = {
  exit: () => process.exit(3),
  'kill-itself': () => process.kill(process.pid, 'SIGKILL'),
  hang: () => {},
  garbage: () => process.stdout.write('Epoch 1/5 [====>]\n'),
  'not-a-message': () => say({ type: 'update', file: 5 }),
  'other-request': ({ id }) => say({ type: 'cancelled', id: id + 7 }),
  'deep-json': () => process.stdout.write(`${'['.repeat(500_000)}\n`),
  'endless-line': () => {
    const chunk = 'x'.repeat(1 << 20);
    const more = () => process.stdout.write(chunk, more);
    more();
  },
  'endless-progress': ({ id }) => {
    const chunk = `${JSON.stringify({ type: 'progress', id, done: 0.5 })}\n`.repeat(10_000);
    const more = () => process.stdout.write(chunk, more);
    more();
  },
  'wrong-answer': ({ id }) => say({ type: 'evaluation', id, correct: 1, total: 2, lossSum: 3 }),
  'says-error': ({ id }) => say({ type: 'error', id, code: 'out-of-memory', message: 'the secret of row 17' }),
  'no-file': (request) => answer(request, 'nowhere.safetensors'),
  absolute: (request) => answer(request, '/etc/passwd'),
  parent: (request) => {
    write('../update.safetensors', zeros());
    answer(request, '../update.safetensors');
  },
  link: (request) => {
    symlinkSync('/etc/passwd', join(folder, 'linked'));
    answer(request, 'linked');
  },
  folder: (request) => {
    mkdirSync(join(folder, 'folder'));
    answer(request, 'folder');
  },
  pipe: (request) => {
    spawn('mkfifo', [join(folder, 'pipe')]).on('close', () => answer(request, 'pipe'));
  },
  huge: (request) => {
    write('huge', zeros());
    truncateSync(join(folder, 'huge'), 2 ** 40);
    answer(request, 'huge');
  },
  'no-safetensors': (request) => {
    writeFileSync(join(folder, 'text'), 'this is no safetensors file');
    answer(request, 'text');
  },
  half: (request) =>
    update(
      request,
      zeros().map((tensor) => ({ ...tensor, dtype: 'F16' })),
    ),
  missing: (request) => update(request, zeros().slice(1)),
  extra: (request) => update(request, [...zeros(), { name: 'more', shape: [1], values: [1] }]),
  'wrong-shape': (request) =>
    update(
      request,
      zeros().map(({ name, values }) => ({ name, shape: [values.length], values })),
    ),
  nan: (request) =>
    update(
      request,
      zeros((size) => Array(size).fill(Number.NaN)),
    ),
  infinite: (request) =>
    update(
      request,
      zeros((size) => Array(size).fill(Number.POSITIVE_INFINITY)),
    ),
  'no-samples': ({ id }) => say({ type: 'update', id, file: 'x', samples: 0, loss: 1 }),
  'too-right': ({ id }) => say({ type: 'evaluation', id, correct: 3, total: 2, lossSum: 3 }),
  forks: () => {
    const lives = { stdio: 'inherit', env: process.env };
    // One in the group, and one that has left it.
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], lives);
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { ...lives, detached: true });
    // It ends itself once that has been seen.
    const go = rest[1] ?? import.meta.filename;
    setInterval(() => existsSync(go) && process.exit(4), 10);
  },
  stubborn: ({ id }) => {
    process.on('SIGTERM', () => process.stderr.write('SIGTERM is for others\n'));
    setInterval(() => {}, 1000);
    say({ type: 'progress', id, done: 0 });
  },
};

/** @param {{ id: number }} request @param {string} file */
const answer = ({ id }, file) => say({ type: 'update', id, file, samples: 7, loss: 0.25, energyJ: 12 });

/** @param {{ id: number }} request @param {Parameters<typeof write>[1]} tensors */
const update = (request, tensors) => {
  write('update', tensors);
  answer(request, 'update');
};

if (what === 'deaf') process.stdin.destroy();
if (what === 'late-hello' || what === 'deaf') setInterval(() => {}, 1000);
if (what === 'stderr') {
  process.stderr.write(`first\r\n\u001b[31msecond\u001b[0m\n${'long '.repeat(1000)}\n`);
  for (let line = 0; line < 500; line++) process.stderr.write(`flood ${line}\n`);
}

const protocol = what === 'old' ? 0 : 1;
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const request = JSON.parse(line);
  const { type, id } = request;
  if (type === 'hello') {
    schema = request.tensors;
    if (what === 'late-hello') return;
    if (what === 'bad-hello') return void say({ type: 'hello', id, protocol, datasetCommitment: 'mine' });
    const isOther = what === 'other-data' && once !== undefined && existsSync(once);
    const commitment = isOther ? 'cd' : 'ab';
    const datasetCommitment = what === 'silent' ? undefined : `0x${commitment.repeat(32)}`;
    say({ type: 'hello', id, protocol, name: 'program.mjs', datasetCommitment });
  } else if (type === 'cancel') {
    if (what !== 'stubborn') say({ type: 'cancelled', id });
  } else if (what === 'environment') {
    process.stderr.write(`${JSON.stringify({ env: process.env, cwd: process.cwd(), request })}\n`);
    update(request, zeros());
  } else if (what === 'read') {
    // Tells what can be read and written of the paths given.
    const seen = rest.map((path) => {
      try {
        return readFileSync(path, 'utf8').trim();
      } catch (error) {
        return /** @type {NodeJS.ErrnoException} */ (error).code;
      }
    });
    let written = 'yes';
    try {
      linkSync(rest[0] ?? '', `${rest[0]}.copy`);
    } catch (error) {
      written = /** @type {NodeJS.ErrnoException} */ (error).code ?? 'no';
    }
    process.stderr.write(`${JSON.stringify({ seen, written })}\n`);
    update(request, zeros());
  } else if (what in wrong && (onlyTo === undefined || onlyTo === type) && isWrong()) {
    wrong[what]?.(request);
  } else if (what === 'other-data' && isWrong()) {
    process.exit(1);
  } else if (type === 'train') {
    say({ type: 'progress', id, done: 0.5, loss: 2, more: 'is passed over' });
    // What it was given comes back, so that it is seen to arrive.
    const bytes = readFileSync(join(folder, request.weights));
    writeFileSync(join(folder, 'update'), bytes);
    answer(request, 'update');
  } else {
    say({ type: 'evaluation', id, correct: 3, total: 10, lossSum: 12.5, constantCorrect: 1 });
  }
});
// Without input there is nothing to do; a program that is stubborn stays.
lines.on('close', () => {
  if (what !== 'stubborn' && what !== 'deaf') process.exit(0);
});
