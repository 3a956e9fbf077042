/** The files with which a repository made by the API begins, as on the Hub: which names belong into LFS, and a card. */
import type { RepoName, RepoType } from './repo.ts'

/** What model weights and their like are called, in all types of repositories. */
const weights = words(`
  *.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gguf *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy
  *.npz *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar
  *.tflite *.tgz *.wasm *.xz *.zip *.zst *tfevents*
`)

/** What datasets hold beside them: archives, sounds, pictures, films. */
const records = words(`
  *.avro *.lz4 *.mds *.aac *.flac *.mp3 *.ogg *.pcm *.raw *.sam *.wav *.bmp *.gif *.jpeg *.jpg *.png *.tiff
  *.webp *.mp4 *.webm
`)

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

/** What a new repository's README says in its front matter; without any of it there is no README. */
export interface CardStart {
  /** How a Space runs. */
  sdk?: string
  license?: string
}

/** The rules of the repository's type, and a README where there is something to say in it. */
export function initialFiles(repo: RepoName, card: CardStart = {}): { name: string; text: string }[] {
  const rules = { name: '.gitattributes', text: formatAttributes(repo.type) }
  const hasCard = Object.values(card).some((value) => value !== undefined)
  return hasCard ? [rules, { name: 'README.md', text: formatCard(repo, card) }] : [rules]
}

function formatAttributes(type: RepoType): string {
  const patterns = type === 'dataset' ? [...weights, ...records] : weights
  return patterns.map((pattern) => `${pattern} filter=lfs diff=lfs merge=lfs -text\n`).join('')
}

/** The front matter alone: what the repository is, until somebody writes more. */
function formatCard({ name }: RepoName, { sdk, license }: CardStart): string {
  const title = sdk === undefined ? [] : [`title: ${JSON.stringify(name)}`, `sdk: ${sdk}`]
  const lines = [...title, ...(license === undefined ? [] : [`license: ${license}`])]
  return ['---', ...lines, '---', ''].join('\n')
}
