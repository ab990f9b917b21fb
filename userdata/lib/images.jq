# What of the images in the bucket is to be kept, fetched and deleted. Input: the bucket's list, {images: {image: {digest, mediaType,
# size, blobs: [digest]}}}; $wanted: images that the cluster runs, one a line; $stored: digests of what lies in the bucket, one a
# line. Output: {list, missing: [image], unused: [digest]}.
#
#   image                              on the list, its content stored   else
#   wanted                             keep                              missing
#   wanted, too large (no blobs)       keep                              missing
#   not wanted                         off the list                      -
#
# Unused is content of no image on the new list.

def lines: split("\n") | map(select(. != "")) | unique;

($wanted | lines) as $wanted
| ($stored | lines) as $stored
| ($stored | map({key: ., value: true}) | from_entries) as $has
| ($wanted | map({key: ., value: true}) | from_entries) as $runs
| (.images // {} | with_entries(select($runs[.key] and all(.value.blobs[]; $has[.])))) as $kept
| {
    list: {images: $kept},
    missing: ($wanted - ($kept | keys)),
    unused: ($stored - [$kept[].blobs[]])
  }
