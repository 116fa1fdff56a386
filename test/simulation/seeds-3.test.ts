import { describeSeeds } from './seed-suite.ts';

describeSeeds(2);
