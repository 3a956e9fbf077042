/** What `git fsck` says of commits (fsck.c, fsck_commit). */
import { checkHeaders, checkIdentity, isIdLine, nextLine, startsWith } from './headers.ts'
import type { ReportFault } from './messages.ts'

export function checkCommit(data: Buffer, report: ReportFault): void {
  if (!checkHeaders(data, report)) return
  if (!startsWith(data, 0, 'tree ')) {
    report('missingTree', "invalid format - expected 'tree' line")
    return
  }
  if (!isIdLine(data, 5) && !report('badTreeSha1', "invalid 'tree' line format - bad sha1")) return
  let at = nextLine(data, 5)
  for (; startsWith(data, at, 'parent '); at = nextLine(data, at)) {
    if (!isIdLine(data, at + 7) && !report('badParentSha1', "invalid 'parent' line format - bad sha1")) return
  }
  let authors = 0
  for (; startsWith(data, at, 'author '); at = nextLine(data, at)) {
    authors++
    if (!checkIdentity(data, at + 7, report)) return
  }
  if (authors === 0 && !report('missingAuthor', "invalid format - expected 'author' line")) return
  if (authors > 1 && !report('multipleAuthors', "invalid format - multiple 'author' lines")) return
  if (!startsWith(data, at, 'committer ')) {
    report('missingCommitter', "invalid format - expected 'committer' line")
    return
  }
  if (checkIdentity(data, at + 10, report) && data.includes(0)) {
    report('nulInCommit', 'NUL byte in the commit object body')
  }
}
