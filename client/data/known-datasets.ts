/** One file of a data set that is fetched. */
export interface KnownFile {
  /** Its name, unpacked. */
  readonly name: string;
  /** SHA-256 of its bytes, unpacked: it is the same however a mirror packed them. */
  readonly sha256: string;
  /** Its size in bytes, unpacked. */
  readonly bytes: number;
}

/** A public data set that a client can fetch. */
export interface KnownDataset {
  /** Where its files lie, each as `<mirror>/<name>.gz`; the next is tried where one fails. */
  readonly mirrors: readonly string[];
  /** The files. */
  readonly files: readonly KnownFile[];
}

const [TRAIN_IMAGES, TRAIN_LABELS] = [47_040_016, 60_008];
const [TEST_IMAGES, TEST_LABELS] = [7_840_016, 10_008];

/** The data sets that a client can fetch, by name. */
export const KNOWN_DATASETS: Readonly<Record<'mnist' | 'fashion-mnist', KnownDataset>> = {
  // LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; the mirrors are those of torchvision.
  mnist: {
    mirrors: ['https://ossci-datasets.s3.amazonaws.com/mnist', 'https://storage.googleapis.com/cvdf-datasets/mnist'],
    files: [
      {
        name: 'train-images-idx3-ubyte',
        sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
        bytes: TRAIN_IMAGES,
      },
      {
        name: 'train-labels-idx1-ubyte',
        sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
        bytes: TRAIN_LABELS,
      },
      {
        name: 't10k-images-idx3-ubyte',
        sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
        bytes: TEST_IMAGES,
      },
      {
        name: 't10k-labels-idx1-ubyte',
        sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
        bytes: TEST_LABELS,
      },
    ],
  },
  // Xiao, Rasul and Vollgraf, "Fashion-MNIST", 2017; the addresses are those of its own page.
  'fashion-mnist': {
    mirrors: [
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion',
    ],
    files: [
      {
        name: 'train-images-idx3-ubyte',
        sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
        bytes: TRAIN_IMAGES,
      },
      {
        name: 'train-labels-idx1-ubyte',
        sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
        bytes: TRAIN_LABELS,
      },
      {
        name: 't10k-images-idx3-ubyte',
        sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
        bytes: TEST_IMAGES,
      },
      {
        name: 't10k-labels-idx1-ubyte',
        sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
        bytes: TEST_LABELS,
      },
    ],
  },
};
