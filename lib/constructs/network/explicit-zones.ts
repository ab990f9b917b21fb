/** Acknowledges CloudFormation's advice against literal zones, for resources that a configuration pins to one. */
export const EXPLICIT_ZONES = {
  id: 'CloudFormation-Validate::W3010',
  reason: 'The zones are named in cluster.yaml: a seat, its volume and its fixed address must stay in one zone',
};
