// Log in from the OS_ variables, find the object store and the image service, list, upload, read back.
// usage: main CONTAINER OBJECT FILE
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
	"github.com/gophercloud/gophercloud/openstack/objectstorage/v1/containers"
	"github.com/gophercloud/gophercloud/openstack/objectstorage/v1/objects"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	container, name, path := os.Args[1], os.Args[2], os.Args[3]
	login, err := openstack.AuthOptionsFromEnv()
	must(err)
	provider, err := openstack.AuthenticatedClient(login)
	must(err)
	region := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	store, err := openstack.NewObjectStorageV1(provider, region)
	must(err)
	image, err := openstack.NewImageServiceV2(provider, region)
	must(err)
	identity, err := openstack.NewIdentityV3(provider, region)
	must(err)
	project, err := tokens.Get(identity, provider.Token()).ExtractProject()
	must(err)

	_, err = containers.Create(store, container, nil).Extract()
	must(err)
	file, err := os.Open(path)
	must(err)
	_, err = objects.Create(store, container, name, objects.CreateOpts{Content: file}).Extract()
	must(err)
	pages, err := containers.List(store, containers.ListOpts{Full: false}).AllPages()
	must(err)
	allContainers, err := containers.ExtractNames(pages)
	must(err)
	pages, err = objects.List(store, container, objects.ListOpts{Full: false}).AllPages()
	must(err)
	allObjects, err := objects.ExtractNames(pages)
	must(err)
	download := objects.Download(store, container, name, nil)
	must(download.Err)
	digest := sha256.New()
	_, err = io.Copy(digest, download.Body)
	must(err)
	pages, err = images.List(image, images.ListOpts{Limit: 5}).AllPages()
	must(err)
	allImages, err := images.ExtractImages(pages)
	must(err)

	must(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"project": project.ID, "object-store": store.Endpoint, "image": image.Endpoint,
		"containers": allContainers, "objects": allObjects, "images": len(allImages),
		"sha256": fmt.Sprintf("%x", digest.Sum(nil))}))
}
