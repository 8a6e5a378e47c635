// What the browser tells of the device when it is asked. Asking reads the device, so it is done after consent only.

let hints;

/** Ask once; resolves when the answer is there or there is none. */
export async function learnDevice() {
  const agent = navigator.userAgentData;
  if (hints || !agent) return;
  try {
    const { platform, mobile, model, platformVersion } = await agent.getHighEntropyValues(['model', 'platformVersion']);
    hints = { platform, mobile, model, platformVersion };
  } catch {
    hints = { platform: agent.platform, mobile: agent.mobile };
  }
}

export const deviceHints = () => hints;
