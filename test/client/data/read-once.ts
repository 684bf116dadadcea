import { openTaskData } from '../../../client/tasks/data-report.ts';

// Run as a program: reads all of a data set as training would, and prints the most memory that it took, in bytes.
const [task = '', ...paths] = process.argv.slice(2);
const before = process.resourceUsage().maxRSS;
const data = await openTaskData({ task: JSON.parse(task) }, paths);
data.readAll();
data.close();
const bytes = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ records: data.report.records, bytes }));
