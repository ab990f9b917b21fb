import { wrapperGoMod } from '../../lab/binaries/go-module';
import { RECIPES } from '../../lab/binaries/recipes';
import { cachedPath, wantedOf } from '../../lab/binaries/wanted';

describe('the go.mod that builds a program of another module', () => {
  const kubernetes = RECIPES['kube-apiserver'];
  const staged = { Old: { Path: 'k8s.io/api' }, New: { Path: './staging/src/k8s.io/api' } };

  it('replaces what the program has in its own repository by the version published from it', () => {
    const goMod = { Go: '1.26.0', Require: [{ Path: 'k8s.io/api', Version: 'v0.0.0' }], Replace: [staged] };
    expect(wrapperGoMod(kubernetes, '1.36.3', goMod).split('\n')).toEqual([
      'module drowse.dev/lab/build',
      'go 1.26.0',
      'require k8s.io/kubernetes v1.36.3',
      'replace k8s.io/api => k8s.io/api v0.36.3',
      '',
    ]);
  });

  it.each([
    ['leaves a folder whose published version is required anyway', 'v3.6.16', { Path: '../api' }, []],
    ['drops a folder that nothing requires', undefined, { Path: './FORBIDDEN_DEPENDENCY' }, []],
    ['repeats another module', 'v1.0.0', { Path: 'fork', Version: 'v1.2.3' }, ['replace x/api => fork v1.2.3']],
  ])('%s', (_, version, New, lines) => {
    const goMod = {
      Go: '1.26.0',
      Require: version === undefined ? [] : [{ Path: 'x/api', Version: version }],
      Replace: [{ Old: { Path: 'x/api' }, New }],
    };
    expect(wrapperGoMod(RECIPES.etcd, '3.6.16', goMod).split('\n').slice(3, -1)).toEqual(lines);
  });

  it('takes another version of a module that is not served as required', () => {
    const recipe = { ...RECIPES.etcd, instead: { 'x/api': '1.2.2' } };
    expect(wrapperGoMod(recipe, '3.6.16', { Go: '1.26.0' }).split('\n')).toContain('replace x/api => x/api v1.2.2');
  });

  it('takes it in the place of a fork, too', () => {
    const recipe = { ...RECIPES.etcd, instead: { 'x/api': '1.2.2' } };
    const Replace = [{ Old: { Path: 'x/api' }, New: { Path: 'fork', Version: 'v1.3.0' } }];
    const lines = wrapperGoMod(recipe, '3.6.16', { Go: '1.26.0', Replace }).split('\n');
    expect(lines.filter((line) => line.startsWith('replace'))).toEqual(['replace x/api => x/api v1.2.2']);
  });

  it('names the recipe that does not say which version a folder is', () => {
    const goMod = { Go: '1.26.0', Require: [{ Path: 'k8s.io/api', Version: 'v0.0.0' }], Replace: [staged] };
    expect(() => wrapperGoMod(RECIPES.etcd, '3.6.16', goMod)).toThrow(
      'go.etcd.io/etcd/server/v3 replaces k8s.io/api by ./staging/src/k8s.io/api: its recipe needs staging',
    );
  });
});

describe('a program that is asked for', () => {
  it('has the version of its recipe, or another', () => {
    expect(wantedOf('etcd').version).toBe(RECIPES.etcd.version);
    expect(wantedOf('kubectl@v1.35.4')).toMatchObject({ name: 'kubectl', version: '1.35.4' });
  });

  it('is kept in one place for each way to build it', () => {
    const path = cachedPath(wantedOf('kubectl'), '/cache');
    expect(path).toMatch(/^\/cache\/\w+-\w+\/kubectl-1\.36\.3-[0-9a-f]{8}\/kubectl$/);
    const { recipe, ...rest } = wantedOf('kubectl');
    const others = [
      wantedOf('kubectl@1.35.4'),
      { ...rest, recipe: { ...recipe, tags: ['providerless'] } },
      { ...rest, recipe: { ...recipe, cgo: true } },
      { ...rest, recipe: { ...recipe, instead: { 'x/api': '1.2.2' } } },
    ].map((wanted) => cachedPath(wanted, '/cache'));
    expect(new Set([path, ...others]).size).toBe(5);
  });

  it('must be known', () => {
    expect(() => wantedOf('kubelt')).toThrow('There is no recipe for kubelt');
  });
});
