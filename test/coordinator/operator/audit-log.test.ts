import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkAuditLog, openAuditLog } from '../../../coordinator/operator/audit-log.ts';
import { temporaryFolder } from '../fixture.ts';

const entry = (action: string) => ({ at: 1, operator: '0xaa', action, details: { reason: 'so' } });

describe('the audit log', () => {
  it('chains its entries and goes on after it was closed', async () => {
    const file = join(await temporaryFolder(), 'audit.jsonl');
    const log = await openAuditLog(file);
    await Promise.all(['job.pause', 'job.resume'].map((action) => log.append(entry(action))));
    await (await openAuditLog(file)).append(entry('job.stop'));
    expect((await checkAuditLog(file)).entries).toBe(3);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).action)).toEqual(['job.pause', 'job.resume', 'job.stop']);
  });

  it.each([
    ['changed', (lines: string[]) => lines.map((line, index) => (index === 1 ? line.replace('so', 'no') : line))],
    ['taken out', (lines: string[]) => lines.filter((_, index) => index !== 1)],
    ['swapped', ([a = '', b = '', c = '']: string[]) => [a, c, b]],
    ['no entry', (lines: string[]) => [...lines, '{}']],
  ])('names a line that was %s, and is not gone on with', async (_, damage) => {
    const file = join(await temporaryFolder(), 'audit.jsonl');
    const log = await openAuditLog(file);
    for (const action of ['one', 'two', 'three']) await log.append(entry(action));
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    await writeFile(file, `${damage(lines).join('\n')}\n`);
    await expect(checkAuditLog(file)).rejects.toMatchObject({ code: 'audit-log/broken' });
    await expect(openAuditLog(file)).rejects.toMatchObject({ code: 'audit-log/broken' });
  });

  it('drops a line that a crash has torn: it was never acknowledged', async () => {
    const file = join(await temporaryFolder(), 'audit.jsonl');
    await (await openAuditLog(file)).append(entry('whole'));
    await appendFile(file, '{"at":1,"oper');
    await (await openAuditLog(file)).append(entry('next'));
    expect((await checkAuditLog(file)).entries).toBe(2);
  });
});
