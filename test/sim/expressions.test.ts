import { holds, InvalidExpression, updated } from '../../sim/aws/expressions';

const ITEM = { id: 'cluster', state: 'awake', n: 3, lease: { owner: 'a', until: '2026-11-20T08:00:00Z' } };
const SUBSTITUTIONS = {
  names: { '#lease': 'lease', '#owner': 'owner', '#state': 'state', '#x': 'x' },
  values: { ':a': 'a', ':b': 'b', ':two': 2, ':now': '2026-11-20T09:00:00Z', ':map': { k: 1 } },
};

describe('conditions', () => {
  test.each([
    ['attribute_not_exists(#x)', true],
    ['attribute_not_exists(#lease)', false],
    ['attribute_exists(#lease.#owner)', true],
    ['#lease.#owner = :a', true],
    ['#lease.#owner = :b', false],
    ['#lease.#owner <> :b', true],
    ['#x = :a', false],
    ['#x <> :a', true],
    ['lease.until < :now', true],
    ['n > :two', true],
    ['n <= :two', false],
    ['attribute_not_exists(#lease) OR #lease.#owner = :b OR #lease.#owner = :a', true],
    ['attribute_not_exists(#lease) AND #lease.#owner = :a', false],
    ['NOT #lease.#owner = :b AND (#x = :a OR #state <> :b)', true],
    // AND binds closer than OR.
    ['#lease.#owner = :a OR #lease.#owner = :b AND #x = :a', true],
  ])('%s: %s', (condition, expected) => {
    expect(holds(condition, ITEM, SUBSTITUTIONS)).toBe(expected);
  });

  test.each(['#lease.#owner =', '#unknown = :a', '#state = :unknown', '(#state = :a', '#state = :a )', '#state ~ :a'])(
    '%s is refused',
    (condition) => {
      expect(() => holds(condition, ITEM, SUBSTITUTIONS)).toThrow(InvalidExpression);
    },
  );
});

describe('updates', () => {
  test('set and remove, paths included, and leave the given item as it was', () => {
    const before = structuredClone(ITEM);
    expect(updated('SET #state = :b, #lease.#owner = :b, #x = :map REMOVE n', ITEM, SUBSTITUTIONS)).toEqual({
      id: 'cluster',
      state: 'b',
      lease: { owner: 'b', until: '2026-11-20T08:00:00Z' },
      x: { k: 1 },
    });
    expect(ITEM).toEqual(before);
  });

  test('count, and keep what is there', () => {
    expect(
      updated('SET n = n + :two, #x = if_not_exists(#x, :a), #state = if_not_exists(#state, :b)', ITEM, SUBSTITUTIONS),
    ).toMatchObject({
      n: 5,
      x: 'a',
      state: 'awake',
    });
  });

  test.each(['SET #x.#owner = :a', 'ADD n :two', 'SET n'])('%s is refused', (update) => {
    expect(() => updated(update, ITEM, SUBSTITUTIONS)).toThrow(InvalidExpression);
  });
});
