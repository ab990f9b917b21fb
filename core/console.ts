/** Where AWS's console shows an execution of Step Functions, by its ARN. */
export function executionConsole(executionArn: string): string {
  const region = executionArn.split(':')[3] ?? '';
  return `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}
