package storage

import (
	"fmt"
	"net/url"
)

// Open reads the blob at an address that holds a signature with the permission
// to read it. The error is an *Error.
func (s *Storage) Open(address string) (Content, error) {
	at, err := s.find(address, "r")
	if err != nil {
		return Content{}, err
	}
	return s.blobs.open(at)
}

// Delete removes the blob at an address, if it exists. It acts for the server of
// the container: the address needs no permission to delete.
func (s *Storage) Delete(address string) {
	if at, err := s.find(address, "rd"); err == nil {
		s.blobs.remove(at)
	}
}

// Release says that the blob at an address has been ingested. It stays while
// there is room, as the service purges such blobs in its own time.
func (s *Storage) Release(address string) {
	if at, err := s.find(address, "r"); err == nil {
		s.blobs.release(at)
	}
}

// find is the blob at an address, whose signature must hold one of the
// permissions.
func (s *Storage) find(address, anyOf string) (found, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return found{}, errInput("the address of the blob is not a URL.")
	}
	path := fmt.Sprintf("%s://%s%s", u.Scheme, u.Host, u.EscapedPath())
	at, err := s.locate(u.Host, u.Path)
	if err != nil {
		return found{}, err
	}
	if at.Kind != Blob || at.rest == "" {
		return found{}, errInput("%s is not the address of a blob.", path)
	}
	b, err := s.blobs.find(at, u.Query(), anyOf)
	b.path = path
	return b, err
}
