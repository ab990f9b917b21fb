import { Cluster } from './cluster';
import { interruptions } from './interruptions';
import { life } from './life';
import { losses } from './losses';
import { recreation } from './recreation';

jest.setTimeout(400_000);

const cluster = new Cluster();
beforeAll(() => cluster.deploy());
afterAll(() => cluster.stop());

life(cluster);
interruptions(cluster);
losses(cluster);
recreation(cluster);
