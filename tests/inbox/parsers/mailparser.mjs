// What mailparser makes of every message in a folder, a line of JSON each.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';

const folder = process.argv[2];
const asWritten = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, skipTextLinks: true };
for (const name of readdirSync(folder).filter((name) => name.endsWith('.eml')).sort()) {
  const file = join(folder, name);
  let said;
  try {
    const mail = await simpleParser(readFileSync(file), asWritten);
    const unsubscribe = mail.headers.get('list')?.unsubscribe ?? {};
    said = {
      subject: mail.subject ?? '',
      from: mail.from?.value?.[0]?.name ?? '',
      to: mail.to?.value?.[0]?.name ?? '',
      address: mail.to?.value?.[0]?.address ?? '',
      text: mail.text ?? '',
      html: mail.html || '',
      url: unsubscribe.url ?? '',
      mail: unsubscribe.mail ?? '',
    };
  } catch (error) {
    said = { error: String(error) };
  }
  console.log(JSON.stringify({ ...said, file }));
}
