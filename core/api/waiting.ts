/** Where the waiting page lies, at the API and at the app's own name: a path that no app has. */
export const WAITING_PATH = '/.drowse/waiting';
/** By what the waiting page is told from the app's own. */
export const WAITING_MARK = 'drowse-waiting';
