import { execa } from 'execa';
import { describeTarget, loadConfig } from '../lib/config/load';
import { platformImages } from '../lib/platform';
import { readCharts } from '../lib/platform/charts';
import { ROOT } from '../local/run/paths';

/** The parts of a CycloneDX 1.5 document that are read or added here. */
interface BillOfMaterials {
  specVersion: string;
  components: Component[];
}

interface Component {
  'bom-ref': string;
  type: 'library' | 'container' | 'application';
  name: string;
  version: string;
  purl: string;
}

/**
 * What `make sbom` runs: what the cluster of cluster.yaml is made of, as CycloneDX on stdout. The packages are npm's own list, those
 * of development left out; beside them stand the charts of the platform and the images that they and our own objects run.
 */
async function main(): Promise<void> {
  const config = loadConfig(process.env.DROWSE_CONFIG);
  console.error(`Bill of materials of ${describeTarget(config, process.env.DROWSE_CONFIG)}`);
  const { stdout } = await execa(
    'npm',
    ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--omit', 'dev'],
    {
      cwd: ROOT,
    },
  );
  const bill = JSON.parse(stdout) as BillOfMaterials;
  bill.components.push(...charts(), ...platformImages(config).map(image));
  console.log(JSON.stringify(bill, null, 2));
}

function charts(): Component[] {
  return Object.values(readCharts()).map(({ name, version }) => {
    const purl = `pkg:helm/${name}@${version}`;
    return { 'bom-ref': purl, type: 'application', name, version, purl };
  });
}

/** `registry.k8s.io/coredns/coredns:v1.14.2` as a package URL of the type `oci`, which names the repository apart. */
function image(reference: string): Component {
  const [, repository = '', tag = ''] = /^(.*):([^:/]+)$/.exec(reference) ?? [];
  const name = repository.split('/').at(-1) ?? '';
  const purl = `pkg:oci/${name}?repository_url=${encodeURIComponent(repository)}&tag=${encodeURIComponent(tag)}`;
  return { 'bom-ref': purl, type: 'container', name: repository, version: tag, purl };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
});
