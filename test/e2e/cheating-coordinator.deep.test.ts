import { describeCheat } from './describe-cheat.ts';

describeCheat('gram', 'Krum');
