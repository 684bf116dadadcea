import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '..', '..');
const rulesFile = join(root, '.dependency-cruiser.cjs');
const rules = (require(rulesFile) as { forbidden: { name: string }[] }).forbidden.map((rule) => rule.name);

/** One forbidden import per rule: the module that holds it, and what it resolves to. */
const planted: Record<string, { from: string; to: string; imports: string }> = {
  'shared-stands-alone': {
    from: 'shared/upward.ts',
    to: 'contracts/wallet.ts',
    imports: "import { value } from '../contracts/wallet.ts';",
  },
  'shared-is-pure': {
    from: 'shared/touches-disk.ts',
    to: 'fs',
    imports: "import { readFileSync as value } from 'node:fs';",
  },
  'shared-uses-pure-packages': {
    from: 'shared/takes-package.ts',
    to: 'node_modules/commander/index.js',
    imports: "import { value } from 'commander';",
  },
  'runtime-for-composition-roots': {
    from: 'coordinator/runner.ts',
    to: 'shared/runtime/hashing.ts',
    imports: "import { value } from '../shared/runtime/hashing.ts';",
  },
  'contracts-only-on-shared': {
    from: 'contracts/deploy.ts',
    to: 'coordinator/job-folder.ts',
    imports: "import { value } from '../coordinator/job-folder.ts';",
  },
  'coordinator-apart': {
    from: 'coordinator/gate/admission.ts',
    to: 'client/log.ts',
    imports: "import { value } from '../../client/log.ts';",
  },
  'client-apart': {
    from: 'client/auditor/audit.ts',
    to: 'coordinator/job-index.ts',
    imports: "import type { value } from '../../coordinator/job-index.ts';",
  },
  'simulations-by-front-doors': {
    from: 'simulations/demo/chain.ts',
    to: 'coordinator/sessions.ts',
    imports: "import { value } from '../../coordinator/sessions.ts';",
  },
  'verbs-only-in-fedanchor': {
    from: 'fedanchor.ts',
    to: 'shared/bytes.ts',
    imports: "import { value } from './shared/bytes.ts';",
  },
  'nobody-on-fedanchor': {
    from: 'test/starts-it.ts',
    to: 'fedanchor.ts',
    imports: "import { value } from '../fedanchor.ts';",
  },
  'nobody-on-test': {
    from: 'client/run.ts',
    to: 'test/harness.ts',
    imports: "import { value } from '../test/harness.ts';",
  },
  'ethers-in-contracts': {
    from: 'coordinator/coordinator.ts',
    to: 'node_modules/ethers/index.js',
    imports: "import { value } from 'ethers';",
  },
  'round-machine-is-pure': {
    from: 'coordinator/round/step.ts',
    to: 'contracts/wallet.ts',
    imports: "import type { value } from '../../contracts/wallet.ts';",
  },
  'session-machine-is-pure': {
    from: 'client/session/step.ts',
    to: 'client/log.ts',
    imports: "import { value } from '../log.ts';",
  },
  'adapters-apart': {
    from: 'coordinator/http/routes.ts',
    to: 'coordinator/blobs/files.ts',
    imports: "import { value } from '../blobs/files.ts';",
  },
  'no-cycles': {
    from: 'client/data/egg.ts',
    to: 'client/data/hen.ts',
    imports: "import type { value } from './hen.ts';",
  },
  'no-orphans': { from: 'client/forgotten.ts', to: 'client/forgotten.ts', imports: '' },
  'no-unresolvable': {
    from: 'simulations/cli.ts',
    to: './missing.ts',
    imports: "import { value } from './missing.ts';",
  },
  'no-undeclared-packages': {
    from: 'client/cli.ts',
    to: 'node_modules/borrowed/index.js',
    imports: "import { value } from 'borrowed';",
  },
  'no-dev-packages-in-product': {
    from: 'coordinator/cli.ts',
    to: 'node_modules/fast-check/index.js',
    imports: "import { value } from 'fast-check';",
  },
};

/** What the planted modules lean on, and imports that look like violations and are none. */
const innocent: Record<string, string> = {
  'shared/runtime/hashing.ts': "import { createHash as value } from 'node:crypto';\nexport const uses = value;",
  'shared/bytes.ts': "import { value } from '@noble/hashes';\nexport const uses = value;",
  'contracts/wallet.ts': "import { value } from 'ethers';\nexport const uses = value;",
  'contracts/compile.mjs': "import { value } from 'fast-check';\nexport const uses = value;",
  'coordinator/job-folder.ts': "import { value } from './job-index.ts';\nexport const uses = value;",
  'coordinator/job-index.ts': "import { value } from '../shared/bytes.ts';\nexport const uses = value;",
  'coordinator/sessions.ts': "import { value } from '../contracts/wallet.ts';\nexport const uses = value;",
  'coordinator/blobs/files.ts': "import type { value } from '../stores/store.ts';\nexport type Uses = typeof value;",
  'coordinator/stores/store.ts': "import { value } from '../../shared/bytes.ts';\nexport const uses = value;",
  'client/log.ts': "import { value } from '../shared/bytes.ts';\nexport const uses = value;",
  'client/session/state.ts': "import type { value } from '../data/port.ts';\nexport type Uses = typeof value;",
  'client/data/port.ts': "import { value } from '../../shared/bytes.ts';\nexport const uses = value;",
  'client/data/hen.ts': "import { value } from './egg.ts';\nexport const uses = value;",
  'client/auditor/cli.ts': "import { value } from '../../shared/runtime/hashing.ts';\nexport const uses = value;",
  'simulations/demo/job.ts': "import { value } from '../../coordinator/job-folder.ts';\nexport const uses = value;",
  'test/harness.ts': "import { value } from '../contracts/wallet.ts';\nexport const uses = value;",
};

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

let folder: string;
let found: Violation[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fedanchor-arrows-'));
  const manifest = {
    name: 'fedanchor',
    type: 'module',
    dependencies: { '@noble/hashes': '1.0.0', commander: '1.0.0', ethers: '1.0.0' },
    devDependencies: { 'fast-check': '1.0.0' },
  };
  await write('package.json', JSON.stringify(manifest));
  for (const name of ['@noble/hashes', 'commander', 'ethers', 'fast-check', 'borrowed']) {
    await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    await write(`node_modules/${name}/index.js`, 'export const value = 1;');
  }
  for (const [path, text] of Object.entries(innocent)) await write(path, `${text}\nexport const value = 1;`);
  for (const { from, imports } of Object.values(planted)) {
    await write(
      from,
      `${imports}\nexport const value = 1;\n${imports === '' ? '' : 'export type Used = typeof value;'}`,
    );
  }
  found = cruise();
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the rules about imports', () => {
  test('each has a planted violation', () => {
    expect(Object.keys(planted).sort()).toEqual([...rules].sort());
  });

  test.each(rules)('%s fires at its planted violation', (name) => {
    const fired = found.filter((violation) => violation.rule.name === name);
    const { from, to } = planted[name] ?? { from: 'nothing planted', to: '' };
    expect(fired).toContainEqual(expect.objectContaining({ from, to }));
  });

  test('fire nowhere else', () => {
    const expected = Object.entries(planted).map(([name, { from }]) => `${name}: ${from}`);
    expect(found.map(({ rule, from }) => `${rule.name}: ${from}`).sort()).toEqual(expected.sort());
  });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), `${text}\n`);
}

function cruise(): Violation[] {
  const cli = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const folders = ['fedanchor.ts', 'shared', 'contracts', 'coordinator', 'client', 'simulations', 'test'];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [cli, '--config', rulesFile, '--output-type', 'json', ...folders],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser said: ${stdout}${stderr}`);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}
