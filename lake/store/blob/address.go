package blob

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// address is where a store is.
type address struct {
	container *url.URL // without a query
	signature string   // a shared access signature; "" without one
	folder    string   // in the container, with a slash at its end; "" is the container itself
}

// Is says whether a path is a URL of a store of this package.
func Is(path string) bool {
	for _, scheme := range []string{"https://", "http://", "abfss://", "abfs://"} {
		if strings.HasPrefix(strings.ToLower(path), scheme) {
			return true
		}
	}
	return false
}

// parse reads a URL:
//
//	https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER
//	abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER
//	https://onelake.dfs.fabric.microsoft.com/WORKSPACE/ITEM.Lakehouse/Files/FOLDER
//	abfss://WORKSPACE@onelake.dfs.fabric.microsoft.com/ITEM.Lakehouse/Files/FOLDER
//
// Hosts of the endpoint for Data Lake Storage become those of the Blob endpoint. In the URL of an
// IP address or of localhost, the account is in the path.
func parse(text string) (a address, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return a, usage(errors.New("lake.path is not a valid URL")) // the error of url.Parse shows the signature
	}
	a.signature = u.RawQuery
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "abfss" && u.User != nil && u.Host != "":
		if _, secret := u.User.Password(); secret {
			return a, usage(errors.New("a URL with abfss:// has no password"))
		}
		parts = append([]string{u.User.Username()}, parts...)
	case scheme == "abfss", scheme == "abfs":
		return a, usage(fmt.Errorf("%s is not abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER", shown(u)))
	case u.User != nil:
		return a, usage(errors.New("a URL with https:// has no user"))
	case scheme == "http" && !loopback(u.Hostname()):
		return a, usage(fmt.Errorf("%s does not encrypt: use https://", shown(u)))
	}
	scheme := "https"
	if strings.EqualFold(u.Scheme, "http") {
		scheme = "http"
	}
	n := 1 // segments of the path that name the container
	if inPath(u.Hostname()) {
		n = 2
	}
	if u.Host == "" || len(parts) < n || parts[n-1] == "" {
		return a, usage(fmt.Errorf("%s names no container", shown(u)))
	}
	for _, p := range parts {
		if p == "." || p == ".." {
			return a, usage(fmt.Errorf("%s has . or .. in its path", shown(u)))
		}
	}
	a.container = &url.URL{Scheme: scheme, Host: blobHost(u.Host), Path: "/" + strings.Join(parts[:n], "/")}
	if folder := strings.Join(parts[n:], "/"); folder != "" {
		a.folder = folder + "/"
	}
	return a, nil
}

// shown is a URL without a signature and a password.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// blobHost is the host of the Blob endpoint: dfs, the second label, becomes blob.
func blobHost(host string) string {
	labels := strings.Split(host, ".")
	if len(labels) > 2 && strings.EqualFold(labels[1], "dfs") {
		labels[1] = "blob"
	}
	return strings.Join(labels, ".")
}

func inPath(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func usage(err error) error {
	return &tvmexport.Error{
		Op: "open lake", Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: err,
		Hint: "set lake.path to a folder, or to a URL such as https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER",
	}
}
