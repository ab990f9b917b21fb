import Table from 'cli-table3';

interface Plugin {
  ministack: string;
  patches: { name: string; worksAround: string }[];
  stubs: { type: string; reason: string }[];
}

/** What the embedded AWS is made of; another emulator (DROWSE_ENDPOINT) only tells its address. */
export async function describePlugin(endpoint: string): Promise<{ name: string; version: string; text: string }> {
  const response = await fetch(`${endpoint}/_drowse/plugin`);
  if (!response.ok)
    return { name: 'other', version: 'unknown', text: 'Another emulator: nothing is known of its gaps.' };
  const { ministack, patches, stubs } = (await response.json()) as Plugin;
  const style = { head: [], border: [] };
  const patched = new Table({ head: ['patch', 'works around'], style, colWidths: [28, 88], wordWrap: true });
  patched.push(...patches.map(({ name, worksAround }) => [name, worksAround]));
  const stubbed = new Table({ head: ['only a stub', 'reason'], style, colWidths: [46, 70], wordWrap: true });
  stubbed.push(...stubs.map(({ type, reason }) => [type, reason]));
  return { name: 'ministack', version: ministack, text: `${patched.toString()}\n${stubbed.toString()}` };
}
