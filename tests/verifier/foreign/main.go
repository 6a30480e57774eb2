// The Go checksum database's own code, which nobody here wrote, reads a log of ours over HTTP.
//
// Asked by one JSON object a line, and answers each by one: {"ok": true} or {"ok": false, "error": "…"}.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of tiles, C2SP tlog-tiles

type request struct {
	Do        string   `json:"do"`
	URL       string   `json:"url"`       // of the log
	Key       string   `json:"key"`       // verifier key of the log
	Witnesses []string `json:"witnesses"` // verifier keys that must have cosigned, too
	Note      string   `json:"note"`      // a checkpoint; fetched when empty
	Old       string   `json:"old"`       // an earlier checkpoint
	Index     int64    `json:"index"`     // of an entry
	Entry     []byte   `json:"entry"`     // its data; not compared when absent
	Path      [][]byte `json:"path"`      // a proof that somebody else made
}

type answer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Size  int64  `json:"size,omitempty"`
}

// A log over HTTP, as tlog.TileReader has it.
type remote struct{ url string }

func (r remote) Height() int { return height }

func (r remote) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		// The checksum database writes tile/<height>/<level>/…, C2SP tile/<level>/….
		path := "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		content, err := r.get(path)
		if err != nil {
			return nil, err
		}
		data[i] = content
	}
	return data, nil
}

func (r remote) SaveTiles([]tlog.Tile, [][]byte) {}

func (r remote) get(path string) ([]byte, error) {
	answer, err := http.Get(r.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", path, answer.Status)
	}
	return content, err
}

// The entries of a bundle of the tree of this size.
func (r remote) bundle(number, size int64) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: -1, N: number, W: int(min(1<<height, size-number<<height))}
	content, err := r.get("tile/entries/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/data/", height)))
	if err != nil {
		return nil, err
	}
	entries := make([][]byte, 0, tile.W)
	for len(content) > 0 {
		if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
			return nil, errors.New("the bundle ends within an entry")
		}
		end := 2 + int(binary.BigEndian.Uint16(content))
		entries = append(entries, content[2:end])
		content = content[end:]
	}
	if len(entries) != tile.W {
		return nil, errors.New("the bundle has another number of entries")
	}
	return entries, nil
}

// The key of a witness (C2SP tlog-cosignature), as note.Verifier has it.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

func newWitness(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, errors.New("not the key of a witness")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		return nil, errors.New("not the key of its id")
	}
	return witness{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

// The tree of a checkpoint that the log's key has signed, and every witness that is asked for.
func (q request) open(text string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(q.Key)
	if err != nil {
		return tree, err
	}
	verifiers := []note.Verifier{verifier}
	for _, vkey := range q.Witnesses {
		one, err := newWitness(vkey)
		if err != nil {
			return tree, err
		}
		verifiers = append(verifiers, one)
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	if len(opened.Sigs) != len(verifiers) {
		return tree, errors.New("not everybody has signed")
	}
	// tlog.ParseTree wants the checksum database's own origin; the other lines are the same.
	lines := strings.SplitN(opened.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, errors.New("not a checkpoint of this log")
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + lines[1] + "\n" + lines[2] + "\n"))
}

func (q request) answer() (int64, error) {
	log := remote{q.URL}
	if q.Note == "" && q.URL != "" {
		content, err := log.get("checkpoint")
		if err != nil {
			return 0, err
		}
		q.Note = string(content)
	}
	tree, err := q.open(q.Note)
	if err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tree, log)
	switch q.Do {
	case "checkpoint":
		return tree.N, nil
	case "entry":
		return tree.N, q.checkEntry(log, tree, reader)
	case "proof":
		return tree.N, tlog.CheckRecord(hashes(q.Path), tree.N, tree.Hash, q.Index, tlog.RecordHash(q.Entry))
	case "growth":
		return tree.N, q.checkGrowth(tree, reader)
	case "consistency":
		old, err := q.open(q.Old)
		if err != nil {
			return 0, err
		}
		return tree.N, tlog.CheckTree(hashes(q.Path), tree.N, tree.Hash, old.N, old.Hash)
	case "all":
		return tree.N, checkAll(log, tree, reader)
	}
	return 0, errors.New("not known: " + q.Do)
}

// The entry is in the log: by a proof that is made from the tiles, by the stored hash, and by its bundle.
func (q request) checkEntry(log remote, tree tlog.Tree, reader tlog.HashReader) error {
	if q.Index < 0 || q.Index >= tree.N {
		return errors.New("no such entry")
	}
	bundle, err := log.bundle(q.Index>>height, tree.N)
	if err != nil {
		return err
	}
	entry := bundle[q.Index&(1<<height-1)]
	if q.Entry != nil && string(q.Entry) != string(entry) {
		return errors.New("another entry")
	}
	stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, q.Index)})
	if err != nil {
		return err
	}
	if stored[0] != tlog.RecordHash(entry) {
		return errors.New("the entry is not the one of its tile")
	}
	proof, err := tlog.ProveRecord(tree.N, q.Index, reader)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, q.Index, stored[0])
}

func (q request) checkGrowth(tree tlog.Tree, reader tlog.HashReader) error {
	old, err := q.open(q.Old)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// Every entry is the one of its tile, and every tile that of the tree.
func checkAll(log remote, tree tlog.Tree, reader tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += 1 << height {
		end := min(first+1<<height, tree.N)
		indexes := make([]int64, 0, end-first)
		for index := first; index < end; index++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, index))
		}
		stored, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		bundle, err := log.bundle(first>>height, tree.N)
		if err != nil {
			return err
		}
		for i, entry := range bundle {
			if stored[i] != tlog.RecordHash(entry) {
				return fmt.Errorf("entry %d is not the one of its tile", first+int64(i))
			}
		}
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err == nil && root != tree.Hash {
		err = errors.New("another root")
	}
	return err
}

func hashes(path [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(path))
	for i, one := range path {
		found[i] = tlog.Hash(one) // panics when there are fewer than 32 bytes
	}
	return found
}

func respond(line []byte) (said answer) {
	defer func() { // tlog panics at what its callers should have refused
		if reason := recover(); reason != nil {
			said = answer{Error: fmt.Sprint(reason)}
		}
	}()
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{Error: err.Error()}
	}
	size, err := asked.answer()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{OK: true, Size: size}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := out.Encode(respond(lines.Bytes())); err != nil {
			os.Exit(1)
		}
	}
}
