import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bwrapArguments } from '../../../../client/trainers/process/sandbox.ts';
import { failureOf, type Lab, openLab, WEIGHTS } from './lab.ts';

const TRIAL = ['--unshare-all', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', 'true'];
const trial = spawnSync('bwrap', TRIAL, { encoding: 'utf8' });
const reason = trial.error ? 'bubblewrap is not installed' : trial.status === 0 ? '' : `bubblewrap: ${trial.stderr}`;

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  expect(await lab.close()).toEqual([]);
});

describe('bwrapArguments', () => {
  const view = {
    folder: '/tmp/f',
    cwd: '/home/me/work',
    readable: ['/data'],
    hidden: ['/home/me/work/key', '/state', '/no'],
    home: '/home/me',
  };
  const kindOf = (path: string) => (path === '/no' ? 'nothing' : path.endsWith('key') ? 'file' : 'folder');

  it('lets what is shown cover what is hidden, and the reverse for key and state', () => {
    const words = bwrapArguments(view, kindOf, ['null', 'nvidia0', 'nvidiactl', 'dri', 'sda']).join(' ');
    expect(words).toContain('--unshare-all');
    expect(words).toContain(
      '--dev-bind /dev/nvidia0 /dev/nvidia0 --dev-bind /dev/nvidiactl /dev/nvidiactl --dev-bind /dev/dri /dev/dri',
    );
    expect(words).not.toMatch(/sda|\/no\b/);
    const order = [
      '--tmpfs /home/me',
      '--ro-bind /home/me/work',
      '--ro-bind /data',
      '--ro-bind /dev/null /home/me/work/key',
      '--tmpfs /state',
      '--bind /tmp/f',
    ];
    expect(order.map((part) => words.indexOf(part)).every((at, index, all) => at > (all[index - 1] ?? 0))).toBe(true);
  });
});

describe('a trainer in a sandbox', () => {
  it('is refused where there is none', async () => {
    const starting = lab.start(['nothing'], { sandbox: 'bwrap', readable: ['/no/such/folder'] });
    expect(await failureOf(starting)).toMatchObject({ code: 'trainer/process-sandbox-unavailable' });
  });

  it.skipIf(reason !== '')(
    `sees its data and not the key, and writes nowhere else ${reason && `(${reason})`}`,
    async () => {
      const data = join(lab.folder, 'data');
      const state = join(lab.folder, 'state');
      for (const path of [data, state]) await mkdir(path);
      const [record, key, journal] = [join(data, 'record'), join(lab.folder, 'key'), join(state, 'journal')];
      for (const path of [record, key, journal]) await writeFile(path, 'it is read');
      const trainer = await lab.start(['read', record, key, journal, '/etc/hostname'], {
        sandbox: 'bwrap',
        cwd: lab.folder,
        data: [data],
        // This Node and this program lie where the sandbox is empty, if they lie at home.
        readable: [dirname(dirname(process.execPath)), import.meta.dirname],
        hidden: [key, state],
      });
      expect(await trainer.train({ weights: WEIGHTS, seed: 1, round: 1 })).toMatchObject({ samples: 7 });
      const said = lab.told.find(({ message }) => message === 'trainer')?.fields['trainer'];
      const { seen, written } = JSON.parse(said as string);
      expect([seen[0], seen[2]]).toEqual(['it is read', 'ENOENT']);
      // Covered by the null device, which a kernel may refuse to open there.
      expect(['', 'EACCES']).toContain(seen[1]);
      expect(written).toBe('EROFS');
    },
  );

  it.skipIf(reason !== '')(`has no network ${reason && `(${reason})`}`, async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    const { port } = await new Promise<{ port: number }>((resolve) => {
      server.on('listening', () => resolve(server.address() as { port: number }));
    });
    const connect = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(7)).on('error', () => process.exit(8))`;
    const start = (sandbox: 'none' | 'bwrap') =>
      failureOf(
        lab.start([], {
          command: `'${process.execPath}' -e "${connect}"`,
          sandbox,
          readable: [dirname(dirname(process.execPath))],
        }),
      );
    expect(await start('none')).toMatchObject({ data: { code: 7 } });
    expect(await start('bwrap')).toMatchObject({ data: { code: 8 } });
    server.close();
  });

  it.skipIf(reason !== '')(`ends with all that it started ${reason && `(${reason})`}`, async () => {
    const trainer = await lab.start(['forks'], {
      sandbox: 'bwrap',
      readable: [dirname(dirname(process.execPath)), import.meta.dirname],
    });
    expect(await failureOf(trainer.train({ weights: WEIGHTS, seed: 1, round: 1 }))).toMatchObject({
      code: 'trainer/process-exited',
    });
  });
});
