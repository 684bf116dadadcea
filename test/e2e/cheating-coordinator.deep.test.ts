import { describeCheat, describeWithholding } from './describe-cheat.ts';

describeCheat('gram', 'Krum');
describeCheat('weights', 'Krum');
describeCheat('reward', 'Median');
describeCheat('drop', 'TrMean', 'omission');
describeWithholding('TrMean');
