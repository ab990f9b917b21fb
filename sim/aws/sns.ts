import { NotFoundException, PublishCommand } from '@aws-sdk/client-sns';
import { details } from './errors';
import { Service } from './service';

/** A message as a subscriber gets it. */
export interface SimMessage {
  subject: string;
  text: string;
  /** Virtual time, UTC ISO. */
  at: string;
}

/** SNS: one topic that keeps what was published. */
export class Sns extends Service {
  readonly prefix = 'sns';
  readonly messages: SimMessage[] = [];

  constructor(readonly topicArn: string) {
    super();
    this.on(PublishCommand, ({ TopicArn, Subject = '', Message = '' }) => {
      if (TopicArn !== this.topicArn) throw new NotFoundException(details('Topic does not exist'));
      this.messages.push({ subject: Subject, text: Message, at: new Date().toISOString() });
      return { MessageId: String(this.messages.length) };
    });
  }
}
